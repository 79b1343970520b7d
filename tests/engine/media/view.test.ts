import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../engine/media/decode-image.ts';
import { mergeMask } from '../../../engine/media/mask-upload.ts';
import { encodePng } from '../../../engine/media/formats/png/encode.ts';
import { readPngText } from '../../../engine/workflow/png-text.ts';
import { encodePreview, fitInside } from '../../../engine/media/preview.ts';
import { viewTransform } from '../../../engine/media/view-transform.ts';

const rgba = {
  width: 2,
  height: 1,
  channels: 4,
  data: Uint8Array.of(10, 20, 30, 0, 200, 100, 50, 128),
} as const;
const rgb = { width: 2, height: 1, channels: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) } as const;

async function pixels(bytes: Uint8Array): Promise<number[]> {
  return [...(await sharp(bytes).raw().toBuffer())];
}

describe('viewTransform', () => {
  it('drops alpha for channel=rgb without compositing', async () => {
    const source = await encodePng(rgba, { level: 4 });
    const { bytes, mime } = await viewTransform(source, { channel: 'rgb' });
    expect(mime).toBe('image/png');
    expect(await pixels(bytes)).toEqual([10, 20, 30, 200, 100, 50]);
  });

  it('shows alpha alone for channel=a, 255 where there is none', async () => {
    const alpha = await viewTransform(await encodePng(rgba, { level: 4 }), { channel: 'a' });
    expect(await pixels(alpha.bytes)).toEqual([0, 0, 0, 0, 0, 0, 0, 128]);
    const opaque = await viewTransform(await encodePng(rgb, { level: 4 }), { channel: 'a' });
    expect(await pixels(opaque.bytes)).toEqual([0, 0, 0, 255, 0, 0, 0, 255]);
  });

  it.each([
    ['webp;50', 'rgb', 'webp', false],
    ['webp', 'x', 'webp', true],
    ['jpeg;80', 'rgb', 'jpeg', false],
    ['jpeg', 'rgba', 'webp', true],
    ['gif', 'rgb', 'webp', false],
    ['jpeg;999', 'rgb', 'jpeg', false],
    // Only a channel that is asked for keeps the alpha.
    ['jpeg;90', undefined, 'jpeg', false],
    ['jpeg', undefined, 'jpeg', false],
    ['webp', undefined, 'webp', true],
  ])('preview=%s channel=%s is %s (alpha %s)', async (preview, channel, format, hasAlpha) => {
    const source = await encodePng(rgba, { level: 4 });
    const { bytes, mime } = await viewTransform(source, { preview, channel });
    expect(mime).toBe(`image/${format}`);
    expect(await sharp(bytes).metadata()).toMatchObject({ format, hasAlpha, width: 2, height: 1 });
  });

  it('refuses what is no picture', async () => {
    await expect(viewTransform(Buffer.from('<svg/>'), {})).rejects.toMatchObject({
      code: 'IMAGE_FILE',
    });
  });
});

describe('mergeMask', () => {
  it('joins colours, new alpha and the old texts', async () => {
    const text = [['workflow', '{"x": 1}']] as const;
    const original = await encodePng(rgb, { level: 4, text });
    const merged = await mergeMask(original, await encodePng(rgba, { level: 4 }));
    expect(await pixels(merged)).toEqual([1, 2, 3, 0, 4, 5, 6, 128]);
    expect([...(await readPngText(merged))]).toEqual(text);
  });

  it('is opaque where the upload has no alpha', async () => {
    const merged = await mergeMask(
      await encodePng(rgba, { level: 4 }),
      await encodePng(rgb, { level: 4 }),
    );
    expect((await decodeImage(merged)).frames[0].alpha).toEqual(Uint8Array.of(255, 255));
  });

  it('refuses pictures of different size', async () => {
    const other = { ...rgb, width: 1, height: 2 };
    const files = [await encodePng(rgb, { level: 4 }), await encodePng(other, { level: 4 })];
    await expect(mergeMask(files[0], files[1])).rejects.toThrow('1 x 2 pixels, the picture 2 x 1');
  });
});

describe('previews', () => {
  // PIL.ImageOps.contain of Pillow 12.3
  it.each([
    [64, 32, { width: 512, height: 256 }],
    [32, 64, { width: 256, height: 512 }],
    [1000, 999, { width: 512, height: 511 }],
    [128, 128, { width: 512, height: 512 }],
    [3000, 1, { width: 512, height: 1 }],
  ])('%d x %d fits into 512', (width, height, expected) => {
    expect(fitInside(width, height, 512)).toEqual(expected);
  });

  it('are JPEG of that size', async () => {
    const picture = { width: 4, height: 2, rgb: new Uint8Array(24).fill(90) };
    const meta = await sharp(await encodePreview(picture, 64)).metadata();
    expect(meta).toMatchObject({ format: 'jpeg', width: 64, height: 32 });
    await expect(encodePreview({ ...picture, width: 5 }, 64)).rejects.toMatchObject({
      code: 'IMAGE_FILE',
    });
  });
});

import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodeApng, encodeWebp } from '../../../engine/media/animation.ts';
import { decodeImage } from '../../../engine/media/decode-image.ts';
import type { Pixels } from '../../../engine/media/formats/png/encode.ts';

const frames = (count: number, channels: 3 | 4): Pixels[] =>
  Array.from({ length: count }, (_, n) => ({
    width: 6,
    height: 4,
    channels,
    data: Uint8Array.from({ length: 24 * channels }, (_, i) =>
      i % 4 === 3 && channels === 4 ? 255 : (n * 60 + i * 3) % 256,
    ),
  }));

const rgbOf = ({ data, channels }: Pixels): number[] =>
  [...data].filter((_, i) => i % channels < 3);

const text = [
  ['prompt', `{"1": "${'x'.repeat(80_000)}"}`],
  ['workflow', '{"n": []}'],
  ['more', '1'],
] as const;

describe('encodeApng', () => {
  it.each([
    [1, 3],
    [3, 3],
    [4, 4],
  ] as const)('%d frames of %d channels come back', async (count, channels) => {
    const source = frames(count, channels);
    const file = await encodeApng(source, { milliseconds: 100, text, level: 4 });
    const decoded = await decodeImage(file);
    expect(decoded.frames.map(({ rgb }) => [...rgb])).toEqual(source.map(rgbOf));
    expect(file.indexOf('comf')).toBeGreaterThan(file.indexOf(count > 1 ? 'fdAT' : 'IDAT'));
    expect(file.includes('comf' + 'workflow\0{"n": []}')).toBe(true);
  });
});

describe('encodeWebp', () => {
  const options = { milliseconds: 166, text, lossless: true, quality: 80, effort: 4 };

  it.each([
    [1, 3],
    [1, 4],
    [3, 3],
    [3, 4],
  ] as const)('%d frames of %d channels come back with long texts', async (count, channels) => {
    const source = frames(count, channels);
    const file = Buffer.from(await encodeWebp(source, options));
    const decoded = await decodeImage(file);
    expect(decoded.frames.map(({ rgb }) => [...rgb])).toEqual(source.map(rgbOf));
    const meta = await sharp(file, { animated: true }).metadata();
    expect(meta.pages ?? 1).toBe(count);
    if (count > 1) expect(meta.delay).toEqual(new Array(count).fill(166));
    const exif = meta.exif?.toString('latin1') ?? '';
    expect(exif).toContain(`prompt:${text[0][1]}\0`);
    expect(exif).toContain('workflow:{"n": []}\0');
    expect(exif).toContain('more:1\0');
  });

  it('has no EXIF without texts', async () => {
    const file = await encodeWebp(frames(2, 3), { ...options, text: [] });
    expect((await sharp(file).metadata()).exif).toBeUndefined();
  });
});

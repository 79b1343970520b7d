import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../engine/media/decode-image.ts';
import { workflowTexts } from '../../../engine/media/workflow-texts.ts';
import { readPng } from '../../../engine/media/formats/png/chunks.ts';
import { readPngText } from '../../../engine/workflow/png-text.ts';
import { encodePng, type Pixels } from '../../../engine/media/formats/png/encode.ts';

function pattern(width: number, height: number, channels: Pixels['channels']): Pixels {
  const data = Uint8Array.from(
    { length: width * height * channels },
    (_, i) => (i * 37 + Math.floor(i / 50) * 11) % 256,
  );
  return { width, height, channels, data };
}

/** Gray (and alpha) as the other reader gives it: three equal colours (and alpha). */
function grayAsColour({ data, channels }: Pixels): number[] {
  const out: number[] = [];
  for (let i = 0; i < data.length; i += channels) {
    out.push(data[i], data[i], data[i], ...(channels === 2 ? [data[i + 1]] : []));
  }
  return out;
}

describe('encodePng', () => {
  it.each([
    [1, 1, 3],
    [7, 5, 1],
    [7, 5, 2],
    [31, 9, 3],
    [600, 3, 3],
    [16, 16, 4],
  ] as const)('%d x %d x %d comes back from another reader', async (width, height, channels) => {
    const pixels = pattern(width, height, channels);
    const png = await encodePng(pixels, { level: 4 });
    const image = sharp(png);
    const meta = await image.metadata();
    expect(meta).toMatchObject({ width, height, channels, depth: 'uchar' });
    const { data } = await image.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
    expect([...data]).toEqual(channels < 3 ? grayAsColour(pixels) : [...pixels.data]);
  });

  it('writes texts in order: tEXt for Latin-1, iTXt for the rest', async () => {
    const text = [
      ['prompt', '{"a": 1}'],
      ['workflow', 'äöü'],
      ['note', '日本'],
    ] as const;
    const png = await encodePng(pattern(2, 2, 3), { level: 1, text });
    expect([...(await readPngText(png))]).toEqual(text);
    const types = ['tEXt', 'tEXt', 'iTXt'].map((type) => png.indexOf(type));
    expect(types.every((at) => at > 0)).toBe(true);
    expect(png.indexOf('iTXt')).toBeLessThan(png.indexOf('IDAT'));
  });

  it('refuses data that does not fit, and keys a PNG cannot hold', async () => {
    const short = { ...pattern(2, 2, 3), data: new Uint8Array(3) };
    await expect(encodePng(short, { level: 4 })).rejects.toThrow('3 bytes');
    const text = [['naïve \u65e5', 'x']] as const;
    await expect(encodePng(pattern(1, 1, 3), { level: 4, text })).rejects.toThrow('Latin-1');
  });
});

describe('reading PNG', () => {
  it('puts interlaced rows in order', async () => {
    const pixels = pattern(23, 17, 4);
    const raw = { width: 23, height: 17, channels: 4 } as const;
    const png = await sharp(pixels.data, { raw }).png({ progressive: true }).toBuffer();
    expect(readPng(png).header.interlaced).toBe(true);
    const {
      frames: [{ rgb, alpha }],
    } = await decodeImage(png);
    const expected = await decodeImage(await encodePng(pixels, { level: 4 }));
    expect({ rgb, alpha }).toEqual({
      rgb: expected.frames[0].rgb,
      alpha: expected.frames[0].alpha,
    });
  });

  it('keeps the rows before the place where a file breaks off', async () => {
    const png = await encodePng(pattern(40, 40, 3), { level: 0 });
    const {
      frames: [{ rgb }],
    } = await decodeImage(png.subarray(0, 3000));
    expect([...rgb.subarray(0, 60)]).toEqual([...pattern(40, 40, 3).data.subarray(0, 60)]);
    expect(rgb.at(-1)).toBe(0);
  });
});

describe('workflowTexts', () => {
  it('is Python’s ASCII JSON of the prompt and of every key', () => {
    expect(workflowTexts({ '1': { x: 'ä' } }, { workflow: { n: [1, null] }, other: true })).toEqual(
      [
        ['prompt', '{"1": {"x": "\\u00e4"}}'],
        ['workflow', '{"n": [1, null]}'],
        ['other', 'true'],
      ],
    );
  });

  it('leaves out what is absent or has no place in a PNG', () => {
    expect(workflowTexts(null, undefined)).toEqual([]);
    expect(workflowTexts(null, { '\u65e5': 1, [`${'k'.repeat(80)}`]: 2 })).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { zeros } from '../../../engine/array/nd.ts';
import { drawRegions } from '../../../engine/media/box-drawing.ts';
import { coverageOf, extentOf } from '../../../engine/media/font/coverage.ts';
import { beginning, faceOf } from '../../../engine/media/font/text.ts';
import { readFont } from '../../../engine/media/font/truetype.ts';
import { overlayText } from '../../../engine/media/text-overlay.ts';

const words = 'Pack my box with five dozen liquor jugs, 0123456789 (QUICK)! ';
const style = {
  fontSize: 50,
  colour: [255, 255, 255, 255],
  position: 'top',
  align: 'left',
  outline: true,
} as const;

const sameNumbers = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((v, i) => v === b[i]);

describe('text', () => {
  it('knows where glyphs lie without covering them', () => {
    const file = new URL('../../../engine/media/font/aileron-regular.ttf', import.meta.url);
    const { glyph } = readFont(readFileSync(file));
    for (const char of words) {
      const { contours } = glyph(char.codePointAt(0)!);
      const { data, ...extent } = coverageOf(contours, 0.013, 2);
      expect(extentOf(contours, 0.013, 2)).toEqual(extent);
      expect(data.length).toBe(extent.width * extent.height);
    }
  });

  it('is cut where no pixel would show it', () => {
    const face = faceOf(16);
    const shown = beginning('x'.repeat(1000), face, 100);
    expect(face.width(shown)).toBeGreaterThanOrEqual(100);
    expect(face.width(shown.slice(1))).toBeLessThan(100);
    expect(beginning('xyz', face, 0)).toBe('');
    expect(beginning('xyz', face, 1000)).toBe('xyz');
  });

  // Each took from half a minute up, or hundreds of megabytes, where all was drawn that was tried.
  it('takes long texts, and sizes that do not fit, as it takes others', () => {
    const large = overlayText(zeros([1, 2048, 2048, 3]), words.repeat(8), style);
    expect(large.data.indexOf(1)).toBeGreaterThan(0);
    const small = zeros([1, 64, 64, 3]);
    const long = overlayText(small, words.repeat(2000), style);
    expect(sameNumbers(long.data, overlayText(small, words.repeat(20), style).data)).toBe(true);
    const region = (text: string) => [{ x: 0, y: 0, w: 1, h: 1, words: text, palette: [] }];
    const [short, endless] = [200, 5e5].map((count) =>
      drawRegions(region('x'.repeat(count)), { width: 64, height: 64 }, undefined),
    );
    expect(sameNumbers(endless.data, short.data)).toBe(true);
  });
});

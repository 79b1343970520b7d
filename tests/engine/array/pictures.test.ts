import { describe, expect, it } from 'vitest';
import { blurImage, sharpenImage } from '../../../engine/array/convolve.ts';
import { growMask, morphology } from '../../../engine/array/morphology.ts';
import { type NDArray, full, nd } from '../../../engine/array/nd.ts';
import { cropImage, pasteMasked, withChannels } from '../../../engine/array/rectangle.ts';
import { flipAxis, rotateClockwise } from '../../../engine/array/turn.ts';

const picture = (shape: readonly number[]): NDArray => {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return nd(
    Float32Array.from({ length: size }, (_, i) => Math.fround(Math.abs(Math.sin(i * 12.9898)))),
    shape,
  );
};

/** Value at (y, x) of channel k, or undefined outside. */
const at = ({ data, shape: [, h, w, c] }: NDArray, y: number, x: number, k: number) =>
  y < 0 || x < 0 || y >= h || x >= w ? undefined : data[(y * w + x) * c + k];

describe('morphology', () => {
  // Oracle: the definition, cell by cell.
  it.each([3, 4, 5, 8, 11, 40])('a window of %d takes the extremes of its cells', (size) => {
    const x = picture([1, 9, 70, 3]);
    const before = Math.floor(size / 2);
    const expected = { max: new Float32Array(x.data.length), min: new Float32Array(x.data.length) };
    for (let y = 0, i = 0; y < 9; y++) {
      for (let column = 0; column < 70; column++) {
        for (let k = 0; k < 3; k++, i++) {
          const window: number[] = [];
          for (let dy = -before; dy < size - before; dy++) {
            for (let dx = -before; dx < size - before; dx++) {
              const v = at(x, y + dy, column + dx, k);
              if (v !== undefined) window.push(v);
            }
          }
          expected.max[i] = Math.max(...window);
          expected.min[i] = Math.min(...window);
        }
      }
    }
    expect(morphology(x, 'dilate', size).data).toEqual(expected.max);
    expect(morphology(x, 'erode', size).data).toEqual(expected.min);
  });

  it('grows a point to a diamond or a square, and back', () => {
    const point = nd(new Float32Array(49), [1, 7, 7]);
    point.data[24] = 1;
    const count = (mask: NDArray): number => mask.data.reduce((sum, v) => sum + v, 0);
    expect(count(growMask(point, 2, true))).toBe(13);
    expect(count(growMask(point, 2, false))).toBe(25);
    expect(growMask(growMask(point, 2, false), -2, false).data).toEqual(point.data);
    expect(count(growMask(point, 100, true))).toBe(49);
  });
});

describe('blur', () => {
  it('keeps a flat picture and its sum of weights is 1', () => {
    const flat = blurImage(full([1, 20, 20, 3], 0.25), 7, 0.8);
    for (const v of flat.data) expect(v).toBeCloseTo(0.25, 6);
  });

  // Oracle: the two-dimensional kernel of the reference, summed directly.
  it.each([1, 2, 3, 4])('radius %d equals the plain double sum', (radius) => {
    const x = picture([1, 8, 9, 2]);
    const sigma = 0.7;
    const kernel: [dy: number, dx: number, weight: number][] = [];
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        const d = (dx * dx + dy * dy) / (radius * radius);
        kernel.push([dy, dx, Math.exp(-d / (2 * sigma * sigma))]);
      }
    }
    const total = kernel.reduce((sum, [, , weight]) => sum + weight, 0);
    const mirror = (i: number, size: number): number =>
      Math.abs(i) < size ? Math.abs(i) : 2 * (size - 1) - i;
    const got = blurImage(x, radius, sigma).data;
    for (let i = 0; i < got.length; i++) {
      const [y, column, k] = [Math.floor(i / 18), Math.floor(i / 2) % 9, i % 2];
      const expected = kernel.reduce(
        (sum, [dy, dx, weight]) =>
          sum + (weight / total) * at(x, mirror(y + dy, 8), mirror(column + dx, 9), k)!,
        0,
      );
      expect(got[i]).toBeCloseTo(expected, 6);
    }
  });

  it('needs a picture larger than its radius, and sharpening by 0 changes nothing', () => {
    expect(() => blurImage(picture([1, 4, 4, 3]), 4, 1)).toThrow('larger picture');
    const x = picture([1, 6, 6, 3]);
    const same = sharpenImage(x, { radius: 2, sigma: 1, alpha: 0 });
    expect(same.data).toEqual(x.data);
  });
});

describe('rectangles', () => {
  it('cuts what lies inside', () => {
    const x = picture([2, 5, 6, 3]);
    const cut = cropImage(x, { top: 3, left: 4, height: 10, width: 10 });
    expect(cut.shape).toEqual([2, 2, 2, 3]);
    expect(cut.data[0]).toBe(x.data[(3 * 6 + 4) * 3]);
  });

  it('pastes the visible part of a source that starts outside', () => {
    const base = full([1, 1, 4, 4], 0);
    const source = picture([1, 1, 3, 3]);
    const out = pasteMasked(base, source, { x: -2, y: 3, multiplier: 1, resizeSource: false });
    expect(out.data[12]).toBe(source.data[2]);
    expect(out.data.filter((v) => v !== 0).length).toBe(1);
  });

  it('pastes frames', () => {
    const source = picture([1, 1, 2, 3, 3]);
    const base = full([1, 1, 2, 4, 4], 0);
    const out = pasteMasked(base, source, { x: 2, y: 3, multiplier: 1, resizeSource: false });
    expect(out.shape).toEqual(base.shape);
    expect([...out.data.slice(14, 16)]).toEqual([...source.data.slice(0, 2)]);
    expect([...out.data.slice(30, 32)]).toEqual([...source.data.slice(9, 11)]);
    expect(out.data.filter((v) => v !== 0).length).toBe(
      [source.data[0], source.data[1], source.data[9], source.data[10]].filter((v) => v !== 0)
        .length,
    );
    const stretched = pasteMasked(base, source, { x: 0, y: 0, multiplier: 1, resizeSource: true });
    expect(stretched.shape).toEqual(base.shape);
  });

  it('adds opaque alpha or drops it', () => {
    const x = picture([1, 1, 2, 3]);
    expect([...withChannels(x, 4).data.slice(3, 5)]).toEqual([1, x.data[3]]);
    expect(withChannels(withChannels(x, 4), 3)).toEqual(x);
  });
});

describe('turns', () => {
  it('quarter turns go clockwise', () => {
    const x = nd(Float32Array.of(1, 2, 3, 4, 5, 6), [1, 2, 3, 1]);
    const axes = { y: 1, x: 2 };
    expect([...rotateClockwise(x, 1, axes).data]).toEqual([4, 1, 5, 2, 6, 3]);
    expect(rotateClockwise(x, 1, axes).shape).toEqual([1, 3, 2, 1]);
    expect([...rotateClockwise(x, 2, axes).data]).toEqual([6, 5, 4, 3, 2, 1]);
    expect([...rotateClockwise(x, 3, axes).data]).toEqual([3, 6, 2, 5, 1, 4]);
    expect([...flipAxis(x, 2).data]).toEqual([3, 2, 1, 6, 5, 4]);
  });
});

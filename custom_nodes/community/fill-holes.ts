/** Holes in masks: what no way leads out of. */
import { nd } from 'noodle/node';
import type { Mask } from 'noodle/node';

/** A mask [1, h, w] as 0 and 1, with 1 also where no way of four directions leads to the border. */
export function filled({ data, shape }: Mask): Mask {
  const [, h, w] = shape;
  const outside = new Uint8Array(h * w);
  const open: number[] = [];
  const visit = (i: number): void => {
    if (outside[i] === 1 || data[i] > 0) return;
    outside[i] = 1;
    open.push(i);
  };
  for (let x = 0; x < w; x++) [x, (h - 1) * w + x].forEach(visit);
  for (let y = 0; y < h; y++) [y * w, y * w + w - 1].forEach(visit);
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    if (i % w > 0) visit(i - 1);
    if (i % w < w - 1) visit(i + 1);
    if (i >= w) visit(i - w);
    if (i < (h - 1) * w) visit(i + w);
  }
  return nd(
    Float32Array.from(outside, (v) => 1 - v),
    shape,
  );
}

const THRESHOLDS = [1, 0.99, 0.97, 0.95, 0.93, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];

/** A grey mask [1, h, w] whose holes are as bright as what surrounds them, at some steps of brightness. */
export function filledByBrightness(mask: Mask): Mask {
  let now = mask;
  let before = Infinity;
  for (const threshold of THRESHOLDS) {
    const isNew = (v: number): boolean => v < before && v >= Math.fround(threshold);
    const changes = mask.data.some(isNew);
    before = Math.fround(threshold);
    // The same pixels once more would close and fill nothing else.
    if (!changes) continue;
    const above = nd(
      now.data.map((v) => Number(v >= Math.fround(threshold))),
      now.shape,
    );
    const { data } = filled(closed(above));
    now = nd(
      now.data.map((v, i) => (data[i] > 0 ? Math.max(v, threshold) : v)),
      now.shape,
    );
  }
  return now;
}

/** Gaps of one or two pixels closed: grown and shrunk by one in all eight directions, the outside being 1. */
function closed({ data, shape }: Mask): Mask {
  const [, h, w] = shape;
  const across = (x: Float32Array, f: (...v: number[]) => number): Float32Array =>
    x.map((v, i) => f(i % w > 0 ? x[i - 1] : 1, v, i % w < w - 1 ? x[i + 1] : 1));
  const down = (x: Float32Array, f: (...v: number[]) => number): Float32Array =>
    x.map((v, i) => f(i >= w ? x[i - w] : 1, v, i < (h - 1) * w ? x[i + w] : 1));
  const grown = down(across(data, Math.max), Math.max);
  return nd(down(across(grown, Math.min), Math.min), shape);
}

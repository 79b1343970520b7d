/**
 * Canny edges (Canny 1986) with the parameters of the reference's library: 5 x 5 Gaussian (σ = 1),
 * Sobel, non-maximum suppression in eight directions, hysteresis until nothing changes.
 */
import { luminance } from './colour.ts';
import { type NDArray, nd } from './nd.ts';

/** Pictures [b, h, w, 3+] to edges [b, h, w, 3] of 0 and 1. */
export function canny(x: NDArray, low: number, high: number): NDArray {
  const [b, h, w] = x.shape;
  const out = new Float32Array(b * h * w * 3);
  for (let n = 0; n < b; n++) {
    const edges = linkEdges(thin(smoothGray(x, n), h, w), { h, w, low, high });
    for (let i = 0; i < edges.length; i++) {
      if (edges[i] === STRONG) out.fill(1, (n * h * w + i) * 3, (n * h * w + i + 1) * 3);
    }
  }
  return nd(out, [b, h, w, 3]);
}

function smoothGray({ data, shape }: NDArray, n: number): Float32Array {
  const [, h, w, c] = shape;
  const gray = new Float32Array(h * w);
  for (let i = 0; i < gray.length; i++) {
    const at = (n * h * w + i) * c;
    gray[i] = luminance(data[at], data[at + 1], data[at + 2]);
  }
  const row = [-2, -1, 0, 1, 2].map((t) => Math.exp(-(t * t) / 2));
  const sum = row.reduce((total, v) => total + v, 0);
  const kernel = row.map((v) => v / sum);
  const reflect = (i: number, size: number): number => {
    const at = Math.abs(i);
    return Math.max(0, at < size ? at : 2 * (size - 1) - at);
  };
  const across = new Float32Array(h * w);
  const both = new Float32Array(h * w);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      let v = 0;
      for (let k = 0; k < 5; k++) v += kernel[k] * gray[y * w + reflect(x + k - 2, w)];
      across[y * w + x] = v;
    }
  }
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      let v = 0;
      for (let k = 0; k < 5; k++) v += kernel[k] * across[reflect(y + k - 2, h) * w + x];
      both[y * w + x] = v;
    }
  }
  return both;
}

/** Steps to the neighbour in each of the eight directions, clockwise from the right. */
const DIRECTIONS = [
  [1, 0],
  [1, 1],
  [0, 1],
  [-1, 1],
  [-1, 0],
  [-1, -1],
  [0, -1],
  [1, -1],
] as const;

/** Gradient magnitudes, 0 where a neighbour along the gradient is as large. */
function thin(gray: Float32Array, h: number, w: number): Float32Array {
  const magnitude = new Float32Array(h * w);
  const direction = new Int8Array(h * w);
  for (let y = 0; y < h; y++) {
    const [up, down] = [Math.max(0, y - 1) * w, Math.min(h - 1, y + 1) * w];
    for (let x = 0; x < w; x++) {
      const [l, r] = [Math.max(0, x - 1), Math.min(w - 1, x + 1)];
      const gx =
        gray[up + r] -
        gray[up + l] +
        2 * (gray[y * w + r] - gray[y * w + l]) +
        gray[down + r] -
        gray[down + l];
      const gy =
        gray[down + l] -
        gray[up + l] +
        2 * (gray[down + x] - gray[up + x]) +
        gray[down + r] -
        gray[up + r];
      magnitude[y * w + x] = Math.sqrt(gx * gx + gy * gy + 1e-6);
      // Ties of the rounding go to the even direction; -4 and 4 are one axis.
      direction[y * w + x] = (Math.round((Math.atan2(gy, gx) * 4) / Math.PI) + 8) % 8;
    }
  }
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= w || y >= h ? 0 : magnitude[y * w + x];
  const out = new Float32Array(h * w);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const i = y * w + x;
      const [dx, dy] = DIRECTIONS[direction[i]];
      const isPeak = magnitude[i] > at(x + dx, y + dy) && magnitude[i] > at(x - dx, y - dy);
      if (isPeak) out[i] = magnitude[i];
    }
  }
  return out;
}

const WEAK = 1;
const STRONG = 2;

/** Marks strong cells and the weak ones that are joined to them. */
function linkEdges(
  magnitude: Float32Array,
  { h, w, low, high }: { h: number; w: number; low: number; high: number },
): Uint8Array {
  const marks = new Uint8Array(h * w);
  const queue: number[] = [];
  for (let i = 0; i < marks.length; i++) {
    if (magnitude[i] > high) {
      marks[i] = STRONG;
      queue.push(i);
    } else if (magnitude[i] > low) marks[i] = WEAK;
  }
  for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
    const [x, y] = [i % w, Math.floor(i / w)];
    for (const [dx, dy] of DIRECTIONS) {
      const [nx, ny] = [x + dx, y + dy];
      if (nx < 0 || ny < 0 || nx >= w || ny >= h) continue;
      const next = ny * w + nx;
      if (marks[next] === WEAK) {
        marks[next] = STRONG;
        queue.push(next);
      }
    }
  }
  return marks;
}

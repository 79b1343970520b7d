/**
 * Resizing of 8-bit pixels, bit for bit what Pillow's `Image.resize` computes: a horizontal and a vertical
 * pass, each rounded to 8 bits, with 22-bit fixed-point weights; filters widen when a picture shrinks.
 */
import { premultiply, unpremultiply } from './premultiply.ts';

const PRECISION = 22;
const HALF = 1 << (PRECISION - 1);

/** Interleaved 8-bit pixels. */
export interface Bytes {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** How far a filter reaches, and what it weighs at a distance. */
interface Filter {
  readonly support: number;
  readonly weight: (x: number) => number;
}

/** Pillow's filters but for NEAREST, which weighs nothing. */
const FILTERS = {
  box: { support: 0.5, weight: (x: number) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x: number) => Math.max(0, 1 - Math.abs(x)) },
  hamming: {
    support: 1,
    weight: (x: number) => (Math.abs(x) < 1 ? sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI)) : 0),
  },
  bicubic: { support: 2, weight: (x: number) => cubic(Math.abs(x)) },
  lanczos: { support: 3, weight: (x: number) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
} as const satisfies Readonly<Record<string, Filter>>;

export type ByteFilter = keyof typeof FILTERS | 'nearest';

/**
 * Resizes grey (1), RGB (3) or RGBA (4) pixels. RGBA is premultiplied for the passes and divided again.
 * Throws RangeError for other channel counts.
 */
export function resampleBytes(
  image: Bytes,
  width: number,
  height: number,
  filter: ByteFilter,
): Bytes {
  if (![1, 3, 4].includes(image.channels)) {
    throw new RangeError(`${filter}: expected 1, 3 or 4 channels, got ${image.channels}`);
  }
  if (image.width === width && image.height === height) return image;
  if (filter === 'nearest') return nearest(image, width, height);
  const by = FILTERS[filter];
  if (image.channels !== 4) return resizePasses(image, width, height, by);
  const out = resizePasses({ ...image, data: premultiply(image.data) }, width, height, by);
  unpremultiply(out.data);
  return out;
}

/** `resampleBytes` by Lanczos' filter. */
export const lanczosBytes = (image: Bytes, width: number, height: number): Bytes =>
  resampleBytes(image, width, height, 'lanczos');

function nearest(
  { data, width: w, height: h, channels }: Bytes,
  width: number,
  height: number,
): Bytes {
  const out = new Uint8Array(width * height * channels);
  const place = (i: number, from: number, to: number): number =>
    Math.min(Math.floor((i + 0.5) * (from / to)), from - 1);
  for (let y = 0, to = 0; y < height; y++) {
    const row = place(y, h, height) * w;
    for (let x = 0; x < width; x++, to += channels) {
      const from = (row + place(x, w, width)) * channels;
      for (let k = 0; k < channels; k++) out[to + k] = data[from + k];
    }
  }
  return { data: out, width, height, channels };
}

function resizePasses(image: Bytes, width: number, height: number, filter: Filter): Bytes {
  const across = image.width === width ? image : horizontal(image, width, filter);
  return across.height === height
    ? { ...across, data: across.data.slice() }
    : vertical(across, height, filter);
}

interface Kernel {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
  /** Weights per output cell (a constant stride; unused ones are 0). */
  readonly stride: number;
}

function kernel(from: number, to: number, filter: Filter): Kernel {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Int32Array(to * stride);
  const w = new Float64Array(stride);
  for (let o = 0; o < to; o++) {
    const centre = (o + 0.5) * scale;
    first[o] = Math.max(Math.trunc(centre - support + 0.5), 0);
    count[o] = Math.min(Math.trunc(centre + support + 0.5), from) - first[o];
    let sum = 0;
    for (let k = 0; k < count[o]; k++) {
      w[k] = filter.weight((k + first[o] - centre + 0.5) * (1 / stretch));
      sum += w[k];
    }
    for (let k = 0; k < count[o]; k++) {
      const v = (sum === 0 ? w[k] : w[k] / sum) * (1 << PRECISION);
      weights[o * stride + k] = Math.trunc(v < 0 ? v - 0.5 : v + 0.5);
    }
  }
  return { first, count, weights, stride };
}

/** Keys 1981, a = -0.5. */
function cubic(x: number): number {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

function sinc(x: number): number {
  if (x === 0) return 1;
  const angle = x * Math.PI;
  return Math.sin(angle) / angle;
}

function clip(sum: number): number {
  const v = sum >> PRECISION;
  return v < 0 ? 0 : v > 255 ? 255 : v;
}

function horizontal(
  { data, width, height, channels }: Bytes,
  outWidth: number,
  filter: Filter,
): Bytes {
  const { first, count, weights, stride } = kernel(width, outWidth, filter);
  const out = new Uint8Array(outWidth * height * channels);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = y * width * channels;
    for (let x = 0; x < outWidth; x++) {
      const base = row + first[x] * channels;
      const n = count[x];
      const at = x * stride;
      if (channels === 1) {
        let sum = HALF;
        for (let k = 0; k < n; k++) sum = (sum + weights[at + k] * data[base + k]) | 0;
        out[to++] = clip(sum);
        continue;
      }
      let r = HALF;
      let g = HALF;
      let b = HALF;
      if (channels === 3) {
        for (let k = 0, p = base; k < n; k++, p += 3) {
          const w = weights[at + k];
          r = (r + w * data[p]) | 0;
          g = (g + w * data[p + 1]) | 0;
          b = (b + w * data[p + 2]) | 0;
        }
      } else {
        let a = HALF;
        for (let k = 0, p = base; k < n; k++, p += 4) {
          const w = weights[at + k];
          r = (r + w * data[p]) | 0;
          g = (g + w * data[p + 1]) | 0;
          b = (b + w * data[p + 2]) | 0;
          a = (a + w * data[p + 3]) | 0;
        }
        out[to + 3] = clip(a);
      }
      out[to] = clip(r);
      out[to + 1] = clip(g);
      out[to + 2] = clip(b);
      to += channels;
    }
  }
  return { data: out, width: outWidth, height, channels };
}

function vertical(
  { data, width, height, channels }: Bytes,
  outHeight: number,
  filter: Filter,
): Bytes {
  const { first, count, weights, stride } = kernel(height, outHeight, filter);
  const row = width * channels;
  const out = new Uint8Array(row * outHeight);
  const sum = new Int32Array(row);
  for (let y = 0; y < outHeight; y++) {
    sum.fill(HALF);
    for (let k = 0; k < count[y]; k++) {
      const w = weights[y * stride + k];
      const from = (first[y] + k) * row;
      for (let i = 0; i < row; i++) sum[i] += w * data[from + i];
    }
    const to = y * row;
    for (let i = 0; i < row; i++) out[to + i] = clip(sum[i]);
  }
  return { data: out, width, height: outHeight, channels };
}

/** The colours of a picture given back to what a network made of it: three ways that keep its detail. */
import { labToRgb, rgbToLab } from './lab.ts';
import type { XyzMatrices } from './lab.ts';
import { type NDArray, nd } from './nd.ts';
import { ascendingOrder } from './order.ts';
import { clamp } from './round.ts';

/** `content` and `style` are pictures [1, h, w, c] of one size, values 0..1; so is the result. */
export type RestoreColours = (content: NDArray, style: NDArray) => NDArray;

const LEVELS = 5;

/** x with what each of its cells becomes, limited to 0..1. */
function limited({ data, shape }: NDArray, cell: (value: number, i: number) => number): NDArray {
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = clamp(cell(data[i], i), 0, 1);
  return nd(out, shape);
}

/**
 * Detail of the one, coarse colours of the other: x − blur(x) + blur(style), the blur being the low pass of
 * an à trous wavelet over five levels (Wang et al. 2023, "StableSR").
 */
export const waveletColours: RestoreColours = (content, style) => {
  const [own, wanted] = [lowPass(content), lowPass(style)];
  // Networks count from -1 to 1, and that is where the reference limits.
  return limited(content, (v, i) => v - own[i] + wanted[i]);
};

/** Mean and spread of each channel (Huang and Belongie 2017, adaptive instance normalisation). */
export const adainColours: RestoreColours = (content, style) => {
  const [own, wanted] = [moments(content), moments(style)];
  const channels = content.shape[3];
  return limited(content, (v, i) => {
    const k = i % channels;
    return ((v - own[k].mean) / own[k].deviation) * wanted[k].deviation + wanted[k].mean;
  });
};

/** How much of its own lightness a picture keeps. */
const LIGHTNESS_KEPT = 0.8;

/** `waveletColours`, then L*a*b* with the histograms of the style: a and b wholly, L by a fifth. */
export const labColours: RestoreColours = (content, style) => {
  const lab = rgbToLab(waveletColours(content, style).data, SRGB);
  const wanted = rgbToLab(style.data, SRGB);
  [0, 1, 2].forEach((k) => {
    const [own, to] = [lab, wanted].map((x) => channel(x, k));
    const matched = withHistogram(own, to);
    const kept = k === 0 ? LIGHTNESS_KEPT : 0;
    for (let i = 0; i < own.length; i++) {
      lab[3 * i + k] = kept * own[i] + (1 - kept) * matched[i];
    }
  });
  return nd(labToRgb(lab, SRGB), content.shape);
};

/** IEC 61966-2-1, with the digits that the reference uses here. */
const SRGB: XyzMatrices = {
  to: [
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.072175],
    [0.0193339, 0.119192, 0.9503041],
  ],
  from: [
    [3.2404542, -1.5371385, -0.4985314],
    [-0.969266, 1.8760108, 0.041556],
    [0.0556434, -0.2040259, 1.0572252],
  ],
  leastZ: -Infinity,
};

const channel = (lab: Float64Array, k: number): Float32Array =>
  Float32Array.from({ length: lab.length / 3 }, (_, i) => lab[3 * i + k]);

/** Each number replaced by the one of the same rank in `wanted`, of which there are as many. */
function withHistogram(own: Float32Array, wanted: Float32Array): Float32Array {
  const sorted = wanted.slice().sort();
  const out = new Float32Array(own.length);
  ascendingOrder(own).forEach((place, rank) => (out[place] = sorted[rank]));
  return out;
}

/** Blurs of 1, 2, 4 … pixels one after the other, none wider than an eighth of the picture. */
function lowPass({ data, shape: [, h, w, c] }: NDArray): Float32Array {
  const most = Math.max(1, Math.floor(Math.min(h, w) / 8));
  let low = data;
  for (let level = 0; level < LEVELS; level++) {
    const radius = Math.min(2 ** level, most);
    const across = blurAxis(low, { outer: h, length: w, inner: c }, radius);
    low = blurAxis(across, { outer: 1, length: h, inner: w * c }, radius);
  }
  return low;
}

interface Axis {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** (1, 2, 1) / 4 at a distance along one axis; the ends are repeated. */
function blurAxis(x: Float32Array, { outer, length, inner }: Axis, distance: number): Float32Array {
  const out = new Float32Array(x.length);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < length; i++) {
      const at = (place: number): number => (o * length + clamp(place, 0, length - 1)) * inner;
      const [before, here, after] = [at(i - distance), at(i), at(i + distance)];
      for (let k = 0; k < inner; k++) {
        out[here + k] = (x[before + k] + 2 * x[here + k] + x[after + k]) / 4;
      }
    }
  }
  return out;
}

/** So that a plain channel divides by something; of values -1..1, hence by 2² here. */
const EPSILON = 1e-5 / 4;

/** Mean and deviation of each channel. */
function moments({ data, shape: [, h, w, c] }: NDArray): { mean: number; deviation: number }[] {
  return Array.from({ length: c }, (_, k) => {
    let [sum, squares] = [0, 0];
    for (let i = k; i < data.length; i += c) sum += data[i];
    const mean = sum / (h * w);
    for (let i = k; i < data.length; i += c) squares += (data[i] - mean) ** 2;
    return { mean, deviation: Math.sqrt(squares / (h * w) + EPSILON) };
  });
}

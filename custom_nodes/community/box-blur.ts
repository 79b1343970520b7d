/**
 * Pillow's `GaussianBlur` of 8-bit pictures: three box blurs whose fractional radius gives the variance
 * (P. Gwosdek et al., Theoretical Foundations of Gaussian Convolution by Extended Box Filtering, 2011).
 */
import { nd, toByte } from 'noodle/node';
import type { Mask } from 'noodle/node';

const PASSES = 3;

/** The box's radius whose three passes have the variance of a Gaussian. */
function boxRadius(sigma: number): number {
  const variance = Math.fround((sigma * sigma) / PASSES);
  const length = Math.fround(Math.sqrt(12 * variance + 1));
  const whole = Math.floor((length - 1) / 2);
  const share =
    ((2 * whole + 1) * (whole * (whole + 1) - 3 * variance)) /
    (6 * (variance - (whole + 1) * (whole + 1)));
  return Math.fround(whole + share);
}

/** One pass along lines of bytes; what lies outside is the edge. Weights are 24-bit fractions. */
function boxLines(
  source: Uint8Array,
  { lines, length, step, stride }: { lines: number; length: number; step: number; stride: number },
  radius: number,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(source.length);
  const whole = Math.trunc(radius);
  const weight = Math.trunc((1 << 24) / (radius * 2 + 1));
  const rest = Math.trunc(((1 << 24) - (whole * 2 + 1) * weight) / 2);
  for (let line = 0; line < lines; line++) {
    const base = line * stride;
    const at = (i: number): number => source[base + Math.min(length - 1, Math.max(0, i)) * step];
    let sum = 0;
    for (let i = -whole; i <= whole; i++) sum += at(i);
    for (let i = 0; i < length; i++) {
      const outer = at(i - whole - 1) + at(i + whole + 1);
      out[base + i * step] = Math.floor((sum * weight + outer * rest + (1 << 23)) / (1 << 24));
      sum += at(i + whole + 1) - at(i - whole);
    }
  }
  return out;
}

/** Masks [b, h, w] through 8 bits; a radius of 0 or less only rounds to them. */
export function blurBytes({ data, shape }: Mask, sigma: number): Mask {
  const [b, h, w] = shape;
  let bytes = Uint8Array.from(data, toByte);
  if (sigma > 0) {
    const radius = boxRadius(sigma);
    const across = { lines: b * h, length: w, step: 1, stride: w };
    for (let pass = 0; pass < PASSES; pass++) bytes = boxLines(bytes, across, radius);
    for (let n = 0; n < b; n++) {
      let plane = bytes.slice(n * h * w, (n + 1) * h * w);
      const down = { lines: w, length: h, step: w, stride: 1 };
      for (let pass = 0; pass < PASSES; pass++) plane = boxLines(plane, down, radius);
      bytes.set(plane, n * h * w);
    }
  }
  return nd(
    Float32Array.from(bytes, (v) => v / 255),
    shape,
  );
}

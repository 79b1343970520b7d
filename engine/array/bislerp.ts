/**
 * "bislerp": spherical interpolation of channel vectors, width first, then height. Directions are
 * slerped, lengths are interpolated linearly, so that latents keep their magnitude when enlarged.
 */
import { type NDArray, nd } from './nd.ts';
import { resampleAxis } from './resample-axis.ts';
import { resampleTaps } from './resample-taps.ts';

/** [b, c, h, w] -> [b, c, height, width]. */
export function bislerp(x: NDArray, height: number, width: number): NDArray {
  const [b, c, h, w] = x.shape;
  const across = width === w ? x.data : slerpAxis(x.data, { b, c, h, w }, 'w', width);
  const both = height === h ? across : slerpAxis(across, { b, c, h, w: width }, 'h', height);
  return nd(both, [b, c, height, width]);
}

/** For every output cell the two source cells and the ratio between them. */
export interface SlerpSteps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly ratio: Float32Array;
}

/**
 * Source positions are read off a ramp 0..n−1 that went through a bilinear resize, and the second
 * cell off the ramp 1..n−1, n−1: so near the border both may be the same cell.
 */
export function slerpSteps(from: number, to: number): SlerpSteps {
  const taps = resampleTaps('bilinear', from, to);
  const view = { outer: 1, length: from, inner: 1 };
  const ramp = Float32Array.from({ length: from }, (_, i) => i);
  const next = Float32Array.from({ length: from }, (_, i) => Math.min(i + 1, from - 1));
  const position = resampleAxis(ramp, view, taps);
  return {
    first: Int32Array.from(position, Math.trunc),
    second: Int32Array.from(resampleAxis(next, view, taps), Math.trunc),
    ratio: position.map((p) => p - Math.floor(p)),
  };
}

function slerpAxis(
  src: Float32Array,
  { b, c, h, w }: { b: number; c: number; h: number; w: number },
  axis: 'h' | 'w',
  size: number,
): Float32Array {
  const [outH, outW] = axis === 'h' ? [size, w] : [h, size];
  const out = new Float32Array(b * c * outH * outW);
  const { first, second, ratio } = slerpSteps(axis === 'h' ? h : w, size);
  const plane = h * w;
  const outPlane = outH * outW;
  for (let n = 0; n < b; n++) {
    for (let y = 0; y < outH; y++) {
      for (let x = 0; x < outW; x++) {
        const o = axis === 'h' ? y : x;
        const p = n * c * plane + (axis === 'h' ? first[o] * w + x : y * w + first[o]);
        const q = n * c * plane + (axis === 'h' ? second[o] * w + x : y * w + second[o]);
        const to = n * c * outPlane + y * outW + x;
        slerpVectors(src, p, q, plane, { out, to, plane: outPlane, channels: c, r: ratio[o] });
      }
    }
  }
  return out;
}

function slerpVectors(
  src: Float32Array,
  p: number,
  q: number,
  plane: number,
  target: { out: Float32Array; to: number; plane: number; channels: number; r: number },
): void {
  const { out, to, channels, r } = target;
  let [pp, qq, pq] = [0, 0, 0];
  for (let i = 0; i < channels; i++) {
    const a = src[p + i * plane];
    const b = src[q + i * plane];
    pp += a * a;
    qq += b * b;
    pq += a * b;
  }
  const [normP, normQ] = [Math.sqrt(pp), Math.sqrt(qq)];
  const dot = Math.fround(normP === 0 || normQ === 0 ? 0 : pq / (normP * normQ));
  let [wp, wq] = [1, 0];
  if (dot < 1e-5 - 1) {
    [wp, wq] = [1 - r, r];
  } else if (!(dot > 1 - 1e-5)) {
    const omega = Math.acos(dot);
    const length = (normP * (1 - r) + normQ * r) / Math.sin(omega);
    wp = normP === 0 ? 0 : (Math.sin((1 - r) * omega) * length) / normP;
    wq = normQ === 0 ? 0 : (Math.sin(r * omega) * length) / normQ;
  }
  for (let i = 0; i < channels; i++) {
    out[to + i * target.plane] = wp * src[p + i * plane] + wq * src[q + i * plane];
  }
}

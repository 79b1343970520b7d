/**
 * Scaling of pictures and latents with the reference's rules: torch's `interpolate` (no corner
 * alignment, no antialiasing), bislerp, Pillow's lanczos, and the centred crop before it.
 */
import { sliceAxis } from './batch.ts';
import { bislerp } from './bislerp.ts';
import { type ByteFilter, resampleBytes } from './resample-bytes.ts';
import { channelsFirst, channelsLast, swapAxes } from './layout.ts';
import { type NDArray, nd, reshape } from './nd.ts';
import { resampleAxis } from './resample-axis.ts';
import { resampleTaps, type SeparableMethod } from './resample-taps.ts';
import { roundHalfEven, toByte } from './round.ts';

export type InterpolateMethod = SeparableMethod | 'bislerp';
export type UpscaleMethod = InterpolateMethod | 'lanczos';
export type CropMode = 'disabled' | 'center';

/**
 * [b, c, h, w] -> [b, c, height, width] with torch's `interpolate(mode=method)` or bislerp.
 * Source of the rules: README of the golden area latent-image-ops, checked against torch 2.13.
 */
export function interpolate(
  x: NDArray,
  height: number,
  width: number,
  method: InterpolateMethod,
): NDArray {
  checkSize(x, 4, height, width);
  if (method === 'bislerp') return bislerp(x, height, width);
  const [b, c, h, w] = x.shape;
  const planes = { outer: b * c, h, w, inner: 1 };
  const fused = height + width > 128;
  return nd(resamplePlanes(x.data, planes, { height, width, method, fused }), [
    b,
    c,
    height,
    width,
  ]);
}

/** [b, h, w, c] -> [b, height, width, c]: `interpolate` for pictures, without moving the channels. */
export function interpolateImage(
  x: NDArray,
  height: number,
  width: number,
  method: SeparableMethod,
): NDArray {
  checkSize(x, 4, height, width);
  const [b, h, w, c] = x.shape;
  const planes = { outer: b, h, w, inner: c };
  // torch takes its other kernel for channels-last tensors of more than 3 channels.
  const fused = height + width > 128 && c <= 3;
  return nd(resamplePlanes(x.data, planes, { height, width, method, fused }), [
    b,
    height,
    width,
    c,
  ]);
}

/**
 * ComfyUI's common_upscale for latents: [b, c, h, w] or [b, c, t, h, w] (frames are scaled one by
 * one). `crop` center first cuts both sides so that the aspect ratio fits. 'lanczos' goes through
 * 8 bits and needs 1, 3 or 4 channels.
 */
export function commonUpscale(
  x: NDArray,
  width: number,
  height: number,
  method: UpscaleMethod,
  crop: CropMode,
): NDArray {
  if (x.shape.length === 5) {
    const [b, c, t, h, w] = x.shape;
    const frames = reshape(swapAxes(x, 1, 2), [b * t, c, h, w]);
    const scaled = commonUpscale(frames, width, height, method, crop);
    return swapAxes(reshape(scaled, [b, t, c, height, width]), 1, 2);
  }
  checkSize(x, 4, height, width);
  const cut = crop === 'center' ? cropToAspect(x, { h: 2, w: 3 }, width, height) : x;
  if (method !== 'lanczos') return interpolate(cut, height, width, method);
  return channelsFirst(lanczosImage(channelsLast(cut), height, width));
}

/** `commonUpscale` for pictures: [b, h, w, c] -> [b, height, width, c]. */
export function upscaleImage(
  x: NDArray,
  width: number,
  height: number,
  method: UpscaleMethod,
  crop: CropMode,
): NDArray {
  checkSize(x, 4, height, width);
  const cut = crop === 'center' ? cropToAspect(x, { h: 1, w: 2 }, width, height) : x;
  if (method === 'lanczos') return lanczosImage(cut, height, width);
  if (method !== 'bislerp') return interpolateImage(cut, height, width, method);
  return channelsLast(bislerp(channelsFirst(cut), height, width));
}

/** Masks [b, h, w] -> [b, height, width]. */
export function resizeMask(
  mask: NDArray,
  width: number,
  height: number,
  method: SeparableMethod,
  crop: CropMode = 'disabled',
): NDArray {
  const [b, h, w] = mask.shape;
  return reshape(commonUpscale(reshape(mask, [b, 1, h, w]), width, height, method, crop), [
    b,
    height,
    width,
  ]);
}

/** Pictures [b, h, w, c] through Pillow's LANCZOS: 8 bits in (cut, not rounded) and out. */
export const lanczosImage = (x: NDArray, height: number, width: number): NDArray =>
  pillowImage(x, height, width, 'lanczos');

/** The same through any filter of Pillow's. */
export function pillowImage(
  x: NDArray,
  height: number,
  width: number,
  filter: ByteFilter,
): NDArray {
  const [b, h, w, c] = x.shape;
  const size = h * w * c;
  const out = new Float32Array(b * height * width * c);
  for (let n = 0; n < b; n++) {
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i++) bytes[i] = toByte(x.data[n * size + i]);
    const image = { data: bytes, width: w, height: h, channels: c };
    const scaled = resampleBytes(image, width, height, filter);
    const base = n * height * width * c;
    for (let i = 0; i < scaled.data.length; i++) out[base + i] = scaled.data[i] / 255;
  }
  return nd(out, [b, height, width, c]);
}

function resamplePlanes(
  data: Float32Array,
  planes: { outer: number; h: number; w: number; inner: number },
  to: { height: number; width: number; method: SeparableMethod; fused: boolean },
): Float32Array {
  const { outer, h, w, inner } = planes;
  let out = data;
  if (to.width !== w) {
    const taps = resampleTaps(to.method, w, to.width, to.fused);
    out = resampleAxis(out, { outer: outer * h, length: w, inner }, taps);
  }
  if (to.height !== h) {
    const taps = resampleTaps(to.method, h, to.height, to.fused);
    out = resampleAxis(out, { outer, length: h, inner: to.width * inner }, taps);
  }
  return out === data ? data.slice() : out;
}

/** The centred part of x with the aspect ratio width:height; equal margins on both sides are cut. */
function cropToAspect(
  x: NDArray,
  axis: { h: number; w: number },
  width: number,
  height: number,
): NDArray {
  const h = x.shape[axis.h];
  const w = x.shape[axis.w];
  const [old, wanted] = [w / h, width / height];
  if (old > wanted) {
    const margin = roundHalfEven((w - w * (wanted / old)) / 2);
    return sliceAxis(x, axis.w, margin, w - margin);
  }
  if (old < wanted) {
    const margin = roundHalfEven((h - h * (old / wanted)) / 2);
    return sliceAxis(x, axis.h, margin, h - margin);
  }
  return x;
}

function checkSize(x: NDArray, rank: number, height: number, width: number): void {
  if (x.shape.length !== rank) {
    throw new RangeError(`resize: expected ${rank} dimensions, got [${x.shape.join(', ')}]`);
  }
  if (!(Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0)) {
    throw new RangeError(`resize: expected a positive size, got ${width} x ${height}`);
  }
}

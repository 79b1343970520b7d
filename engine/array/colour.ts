/** RGB to YUV (JPEG's YCbCr on 0..1 values, ITU-R BT.601) and back. */
import { type NDArray, nd } from './nd.ts';
import { clamp } from './round.ts';

/** The Y, U and V of pictures [b, h, w, 3+], each repeated over as many channels as the picture has. */
export function rgbToYuv({ data, shape }: NDArray): [y: NDArray, u: NDArray, v: NDArray] {
  const channels = shape[3];
  const [y, u, v] = [0, 1, 2].map(() => new Float32Array(data.length));
  for (let i = 0; i < data.length; i += channels) {
    const luma = luminance(data[i], data[i + 1], data[i + 2]);
    y.fill(luma, i, i + channels);
    u.fill((data[i + 2] - luma) * 0.564 + 0.5, i, i + channels);
    v.fill((data[i] - luma) * 0.713 + 0.5, i, i + channels);
  }
  return [nd(y, shape), nd(u, shape), nd(v, shape)];
}

/** Back from three pictures, of each the mean over its channels; values are limited to 0..1. */
export function yuvToRgb(y: NDArray, u: NDArray, v: NDArray): NDArray {
  const [luma, cb, cr] = [y, u, v].map(channelMean);
  if (luma.length !== cb.length || luma.length !== cr.length) {
    throw new RangeError('YUV: the three pictures differ in size');
  }
  const out = new Float32Array(luma.length * 3);
  for (let i = 0; i < luma.length; i++) {
    const [b, r] = [cb[i] - 0.5, cr[i] - 0.5];
    out[i * 3] = clamp(luma[i] + 1.403 * r, 0, 1);
    out[i * 3 + 1] = clamp(luma[i] - 0.714 * r - 0.344 * b, 0, 1);
    out[i * 3 + 2] = clamp(luma[i] + 1.773 * b, 0, 1);
  }
  return nd(out, [...y.shape.slice(0, 3), 3]);
}

/** Brightness of a colour. */
export function luminance(r: number, g: number, b: number): number {
  return 0.299 * r + 0.587 * g + 0.114 * b;
}

/** RGB bytes as Pillow's grey ones: ITU-R 601-2 in 16-bit fixed point. */
export function greyBytes(rgb: Uint8Array): Uint8Array {
  return Uint8Array.from(
    { length: rgb.length / 3 },
    (_, i) => (rgb[i * 3] * 19595 + rgb[i * 3 + 1] * 38470 + rgb[i * 3 + 2] * 7471 + 0x8000) >> 16,
  );
}

function channelMean({ data, shape }: NDArray): Float32Array {
  const channels = shape[3];
  const out = new Float32Array(data.length / channels);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = 0; k < channels; k++) sum += data[i * channels + k];
    out[i] = sum / channels;
  }
  return out;
}

/** Decoded bytes to IMAGE and MASK values, and values to bytes. */
import { type NDArray, nd } from '../array/nd.ts';
import { clamp, toByte } from '../array/round.ts';
import type { DecodedImage } from './frame.ts';
import type { Pixels } from './formats/png/encode.ts';

/** Size of the MASK of a picture without alpha. */
const EMPTY_MASK = 64;

/**
 * LoadImage's two results: IMAGE [n, h, w, 3] of all frames that are as large as the first, and
 * MASK [n, h, w] = 1 − alpha, or [n, 64, 64] zeros when no frame has alpha.
 */
export function toImageAndMask({ frames }: DecodedImage): { image: NDArray; mask: NDArray } {
  const { width, height } = frames[0];
  const kept = frames.filter((frame) => frame.width === width && frame.height === height);
  const size = width * height;
  const image = new Float32Array(kept.length * size * 3);
  kept.forEach(({ rgb }, n) => divide(rgb, image, n * size * 3));
  const hasAlpha = kept.some(({ alpha }) => alpha !== undefined);
  const [maskH, maskW] = hasAlpha ? [height, width] : [EMPTY_MASK, EMPTY_MASK];
  const mask = new Float32Array(kept.length * maskH * maskW);
  kept.forEach(({ alpha }, n) => {
    if (alpha) invert(alpha, mask, n * size);
  });
  return {
    image: nd(image, [kept.length, height, width, 3]),
    mask: nd(mask, [kept.length, maskH, maskW]),
  };
}

/** LoadImageMask: one channel of the first frame as [1, h, w]; alpha comes inverted. */
export function toChannelMask(
  { frames }: DecodedImage,
  channel: 'alpha' | 'red' | 'green' | 'blue',
): NDArray {
  const { width, height, rgb, alpha, keyedAlpha } = frames[0];
  const out = new Float32Array(width * height);
  if (channel === 'alpha') {
    const band = alpha ?? keyedAlpha;
    if (band) invert(band, out, 0);
  } else {
    const offset = { red: 0, green: 1, blue: 2 }[channel];
    for (let i = 0; i < out.length; i++) out[i] = rgb[i * 3 + offset] / 255;
  }
  return nd(out, [1, height, width]);
}

/**
 * Item `index` of an IMAGE [b, h, w, c] as 8-bit pixels, values cut, not rounded. Throws RangeError
 * for other than 1, 2, 3 or 4 channels.
 */
export function toPixels({ data, shape }: NDArray, index: number): Pixels {
  const [, height, width, channels] = shape;
  if (channels < 1 || channels > 4) {
    throw new RangeError(`picture: expected 1 to 4 channels, got ${channels}`);
  }
  const size = height * width * channels;
  const bytes = new Uint8Array(size);
  const base = index * size;
  for (let i = 0; i < size; i++) bytes[i] = toByte(data[base + i]);
  return { width, height, channels: channels as Pixels['channels'], data: bytes };
}

/** The same with 16 bits a value, high byte first. */
export function toDeepPixels({ data, shape }: NDArray, index: number): Pixels {
  const [, height, width, channels] = shape;
  if (channels < 1 || channels > 4) {
    throw new RangeError(`picture: expected 1 to 4 channels, got ${channels}`);
  }
  const size = height * width * channels;
  const bytes = Buffer.alloc(size * 2);
  const base = index * size;
  for (let i = 0; i < size; i++) {
    bytes.writeUInt16BE(clamp(Math.fround(65535 * data[base + i]), 0, 65535) | 0, i * 2);
  }
  const kind = channels as Pixels['channels'];
  return { width, height, channels: kind, depth: 16, data: bytes };
}

function divide(bytes: Uint8Array, out: Float32Array, at: number): void {
  for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i] / 255;
}

/** 1 − a/255 with the reference's fp32 steps. */
function invert(alpha: Uint8Array, out: Float32Array, at: number): void {
  for (let i = 0; i < alpha.length; i++) out[at + i] = 1 - Math.fround(alpha[i] / 255);
}

/** Arithmetic of test pictures: arrays [B, H, W, C] (masks [B, H, W]), or plain numbers. */
import { map, mul, scale, zip } from '../../../engine/array/elementwise.ts';
import { full } from '../../../engine/array/nd.ts';
import type { NDArray } from '../../../engine/array/nd.ts';

export const CHANNELS = 3;

/** One 512 x 512 picture of one value. */
export const plainImage = (value: number): NDArray => full([1, 512, 512, CHANNELS], value);

export const isArray = (value: unknown): value is NDArray =>
  typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;

export const minimum = ({ data }: NDArray): number => data.reduce((a, b) => Math.min(a, b));
export const maximum = ({ data }: NDArray): number => data.reduce((a, b) => Math.max(a, b));

/** a * b of arrays and numbers; two numbers give a picture. */
export function product(a: NDArray | number, b: NDArray | number): NDArray {
  if (typeof a === 'number') return typeof b === 'number' ? plainImage(a * b) : scale(b, a);
  return typeof b === 'number' ? scale(a, b) : mul(a, b);
}

/** image1 where the mask is 0, image2 where it is 1. Throws RangeError when the sizes differ. */
export function mix(image1: NDArray, image2: NDArray, mask: NDArray): NDArray {
  const [batch, height, width, channels] = image1.shape;
  const pixels = batch * height * width;
  if (pixels % mask.data.length !== 0) {
    throw new RangeError(
      `mask [${mask.shape.join(', ')}] does not fit image [${image1.shape.join(', ')}]`,
    );
  }
  const at = (i: number): number => mask.data[Math.floor(i / channels) % mask.data.length];
  let i = 0;
  return zip(image1, image2, (a, b) => {
    const m = at(i++);
    return a * (1 - m) + b * m;
  });
}

/** The mean of pictures of one size. */
export function average(images: readonly NDArray[]): NDArray {
  const sum = images
    .slice(1)
    .reduce((total, image) => zip(total, image, (a, b) => a + b), images[0]);
  return map(sum, (value) => value / images.length);
}

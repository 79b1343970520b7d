/** Two pictures side by side. */
import { concat, rows } from './batch.ts';
import { type NDArray, full } from './nd.ts';
import { padImage, withChannels } from './rectangle.ts';
import { upscaleImage } from './resize.ts';

export interface StitchOptions {
  readonly direction: 'right' | 'down' | 'left' | 'up';
  /** Scale the second picture (lanczos, 8 bits) so that the joined sides are as long. */
  readonly matchSize: boolean;
  readonly spacing: number;
  readonly colour: 'white' | 'black' | 'red' | 'green' | 'blue';
}

const COLOURS = {
  white: [1, 1, 1],
  black: [0, 0, 0],
  red: [1, 0, 0],
  green: [0, 1, 0],
  blue: [0, 0, 1],
} as const;

/**
 * `second` on the given side of `first`. The smaller batch repeats its last picture; without
 * matching, the shorter side is centred on white or black (black for the other colours); a missing
 * alpha is 1; the gap between them is made even.
 */
export function stitchImages(first: NDArray, second: NDArray, options: StitchOptions): NDArray {
  const { direction, matchSize, spacing, colour } = options;
  const sideways = direction === 'left' || direction === 'right';
  const batch = Math.max(first.shape[0], second.shape[0]);
  let [a, b] = [lengthen(first, batch), lengthen(second, batch)];
  if (matchSize) b = matchTo(a, b, sideways);
  else {
    const axis = sideways ? 1 : 2;
    const length = Math.max(a.shape[axis], b.shape[axis]);
    const value = colour === 'white' ? 1 : 0;
    [a, b] = [centred(a, axis, length, value), centred(b, axis, length, value)];
  }
  const channels = Math.max(a.shape[3], b.shape[3]);
  [a, b] = [withChannels(a, channels), withChannels(b, channels)];
  const parts = direction === 'left' || direction === 'up' ? [b, a] : [a, b];
  if (spacing > 0) {
    const gap = spacing + (spacing % 2);
    const height = sideways ? Math.max(a.shape[1], b.shape[1]) : gap;
    const width = sideways ? gap : Math.max(a.shape[2], b.shape[2]);
    parts.splice(1, 0, filled([batch, height, width, channels], COLOURS[colour]));
  }
  return concat(parts, sideways ? 2 : 1);
}

function lengthen(x: NDArray, batch: number): NDArray {
  const count = x.shape[0];
  const last = rows(x, count - 1, count);
  return count < batch ? concat([x, ...new Array<NDArray>(batch - count).fill(last)]) : x;
}

function matchTo(a: NDArray, b: NDArray, sideways: boolean): NDArray {
  const [, h, w] = a.shape;
  const aspect = b.shape[2] / b.shape[1];
  const [height, width] = sideways ? [h, Math.trunc(h * aspect)] : [Math.trunc(w / aspect), w];
  return upscaleImage(b, width, height, 'lanczos', 'disabled');
}

function centred(x: NDArray, axis: 1 | 2, length: number, value: number): NDArray {
  const [, h, w] = x.shape;
  const before = Math.floor((length - x.shape[axis]) / 2);
  const box =
    axis === 1
      ? { top: before, left: 0, height: length, width: w }
      : { top: 0, left: before, height: h, width: length };
  return padImage(x, box, value);
}

function filled(shape: readonly number[], rgb: readonly number[]): NDArray {
  const out = full(shape, 0);
  const channels = shape[3];
  for (let i = 0; i < out.data.length; i += channels) {
    for (let k = 0; k < channels; k++) out.data[i + k] = k === 3 ? 1 : (rgb[k] ?? 0);
  }
  return out;
}

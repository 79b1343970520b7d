/** What lies inside of boxes, cut out of pictures and brought to one size. */
import { concat, rows } from '../array/batch.ts';
import { type NDArray, zeros } from '../array/nd.ts';
import { cropImage, padImage, type Rectangle } from '../array/rectangle.ts';
import { upscaleImage } from '../array/resize.ts';
import { clamp, roundHalfEven } from '../array/round.ts';
import type { Box } from './boxes.ts';

export interface CropOptions {
  readonly width: number;
  readonly height: number;
  /** Pixels more on each side. */
  readonly padding: number;
  /** Keeps the shape and fills up with black. */
  readonly keepAspect: boolean;
}

/**
 * One cut of each picture [b, h, w, c] around all its boxes, [n, height, width, c]; undefined where no picture has
 * boxes. Pictures beyond the last frame have its boxes.
 */
export function cropToBoxes(
  images: NDArray,
  frames: readonly (readonly Box[])[],
  options: CropOptions,
): NDArray | undefined {
  const cuts: NDArray[] = [];
  for (let i = 0; i < images.shape[0]; i++) {
    const boxes = frames[Math.min(i, frames.length - 1)];
    if (boxes.length > 0) cuts.push(cropOne(rows(images, i, i + 1), boxes, options));
  }
  return cuts.length > 0 ? concat(cuts) : undefined;
}

function cropOne(image: NDArray, boxes: readonly Box[], options: CropOptions): NDArray {
  const [, h, w, channels] = image.shape;
  const { width, height, keepAspect } = options;
  const around = union(boxes, options.padding, w, h);
  const rectangle = around.width > 0 && around.height > 0 ? around : headRoom(w, h);
  if (rectangle.width <= 0 || rectangle.height <= 0) return zeros([1, height, width, channels]);
  const cut = cropImage(image, rectangle);
  if (!keepAspect) return upscaleImage(cut, width, height, 'area', 'disabled');
  const scale = Math.min(width / rectangle.width, height / rectangle.height);
  const [scaledWidth, scaledHeight] = [rectangle.width, rectangle.height].map((side) =>
    Math.max(1, roundHalfEven(side * scale)),
  );
  const scaled = upscaleImage(cut, scaledWidth, scaledHeight, 'area', 'disabled');
  const left = Math.floor((width - scaledWidth) / 2);
  const top = Math.floor((height - scaledHeight) / 2);
  return padImage(scaled, { left, top, width, height }, 0);
}

function union(boxes: readonly Box[], padding: number, w: number, h: number): Rectangle {
  const low = (values: number[]): number =>
    values.reduce((least, v) => Math.min(least, Math.trunc(v)), Infinity) - padding;
  const high = (values: number[]): number =>
    values.reduce((most, v) => Math.max(most, Math.trunc(v)), -Infinity) + padding;
  const left = Math.max(0, low(boxes.map((b) => b.x)));
  const top = Math.max(0, low(boxes.map((b) => b.y)));
  const right = Math.min(w, high(boxes.map((b) => b.x + b.width)));
  const bottom = Math.min(h, high(boxes.map((b) => b.y + b.height)));
  return { left, top, width: right - left, height: bottom - top };
}

/** Where a head usually is, for boxes that hold nothing. */
function headRoom(w: number, h: number): Rectangle {
  const size = Math.trunc(Math.min(w, h) * 0.3);
  const left = clamp(Math.floor((w - size) / 2), 0, w);
  const top = clamp(Math.trunc(h * 0.1), 0, h);
  return { left, top, width: Math.min(w - left, size), height: Math.min(h - top, size) };
}

/** Pictures at a size that models know, as the nodes that encode prompts about them hand them on. */
import { sliceAxis } from '../engine/array/batch.ts';
import { upscaleImage } from '../engine/array/resize.ts';
import { roundHalfEven } from '../engine/node.ts';
import type { Image } from '../engine/values/media.ts';

/** The picture at an area of `side` squared, its sides multiples of `step`, in three colours. */
export function atArea(picture: Image, side: number, step: number): Image {
  const [, height, width] = picture.shape;
  const scale = Math.sqrt((side * side) / (width * height));
  const fit = (pixels: number): number => roundHalfEven((pixels * scale) / step) * step;
  return upscaleImage(inColours(picture), fit(width), fit(height), 'area', 'disabled');
}

/** Without what stands behind the colours. */
const inColours = (picture: Image): Image =>
  picture.shape[3] <= 3 ? picture : sliceAxis(picture, 3, 0, 3);

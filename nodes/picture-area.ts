/** Pictures at a size that models know, as the nodes that encode prompts about them hand them on. */
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
function inColours(picture: Image): Image {
  const channels = picture.shape[3];
  if (channels <= 3) return picture;
  const data = new Float32Array((picture.data.length / channels) * 3);
  for (let i = 0; i < data.length; i++) {
    data[i] = picture.data[Math.floor(i / 3) * channels + (i % 3)];
  }
  return { data, shape: [...picture.shape.slice(0, 3), 3] };
}

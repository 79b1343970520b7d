/** Pictures framed for outpainting. */
import { type NDArray, nd } from './nd.ts';
import { padImage } from './rectangle.ts';

export interface Margins {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * The picture [b, h, w, c] with a grey (0.5) frame, and the mask [1, H, W] of what is to be painted:
 * 1 in the frame, falling to 0 inside within `feathering` cells of the sides that were extended
 * (only when the picture is more than twice as large as that).
 */
export function padForOutpaint(
  x: NDArray,
  margins: Margins,
  feathering: number,
): { image: NDArray; mask: NDArray } {
  const [, h, w] = x.shape;
  const { left, top, right, bottom } = margins;
  const [height, width] = [h + top + bottom, w + left + right];
  const mask = new Float32Array(height * width).fill(1);
  const fades = feathering > 0 && feathering * 2 < h && feathering * 2 < w;
  for (let i = 0; i < h; i++) {
    for (let j = 0; j < w; j++) {
      const d = Math.min(
        top === 0 ? h : i,
        bottom === 0 ? h : h - i,
        left === 0 ? w : j,
        right === 0 ? w : w - j,
      );
      const v = fades && d < feathering ? (feathering - d) / feathering : 0;
      mask[(top + i) * width + left + j] = v * v;
    }
  }
  return {
    image: padImage(x, { top, left, height, width }, 0.5),
    mask: nd(mask, [1, height, width]),
  };
}

/** Hint pictures of which a part is painted anew. */
import { map } from '../array/elementwise.ts';
import { type NDArray, reshape } from '../array/nd.ts';
import { roundHalfEven } from '../array/round.ts';
import { commonUpscale } from '../array/resize.ts';
import type { Image, Mask } from './media.ts';

/** What of pictures is kept, the opposite of what a mask paints anew: [n, 1, h, w]. */
export function keptMask(mask: Mask): NDArray {
  const [height, width] = mask.shape.slice(-2);
  const count = mask.data.length / (height * width);
  const kept = map(mask, (value) => 1 - value);
  return reshape(kept, [count, 1, height, width]);
}

/**
 * The pictures [b, h, w, c] black where the mask is more than half, and what is kept of them, the mask's opposite
 * [n, 1, h, w], as it is. Masks are used in turn.
 */
export function keptPart(
  image: Image,
  mask: Mask,
): { readonly image: Image; readonly mask: NDArray } {
  const [batch, height, width, channels] = image.shape;
  const kept = keptMask(mask);
  const [count] = kept.shape;
  const sized = map(commonUpscale(kept, width, height, 'bilinear', 'center'), roundHalfEven);
  const data = new Float32Array(image.data.length);
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / channels);
    const item = Math.floor(pixel / (height * width)) % count;
    data[i] = image.data[i] * sized.data[item * height * width + (pixel % (height * width))];
  }
  return { image: { data, shape: [batch, height, width, channels] }, mask: kept };
}

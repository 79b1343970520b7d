/** The picture-like values on wires, in ComfyUI's layouts. */
import type { NDArray } from '../array/nd.ts';

/** [batch, height, width, channels], values 0..1. */
export type Image = NDArray;

/** [batch, height, width], values 0..1. */
export type Mask = NDArray;

/**
 * Pixels a side that nodes take one latent cell for, where they speak of a latent in pixels and know
 * no model (sizes of empty latents, areas, masks). It is ComfyUI's number for them; what a model's
 * own cells stand for is its latent format's and its VAE's business.
 */
export const pixelsPerCell = 8;

/** A length in pixels as whole latent cells. */
export const cells = (pixels: number): number => Math.floor(pixels / pixelsPerCell);

export interface Latent {
  /** [batch, channels, height, width] (video: [batch, channels, frames, height, width]), VAE units. */
  readonly samples: NDArray;
  /** [batch, 1, h, w] or [batch, h, w]; any size, resized by the sampler. */
  readonly noise_mask?: NDArray;
  /** Which item of the original batch each row is (LatentFromBatch and friends). */
  readonly batch_index?: readonly number[];
}

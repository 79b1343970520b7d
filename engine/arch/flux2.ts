/**
 * FLUX.2 (dev, klein): Flux with modulations that all blocks share, gated feed-forward layers, words on an axis
 * of their own, and no pooled text; its latent's cells are the tokens.
 *
 * Source: black-forest-labs/flux2, whose key names released files carry. In and out as Flux.
 */
import type { Weights } from '../tensor/cursor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type FluxConfig, type FluxInputs, detectTransformer, fluxTransformer } from './flux.ts';
import { lastChange, modulations } from './modulation.ts';

/** The sizes of a FLUX.2 under `w`, or undefined. */
export function detectFlux2(w: Weights): FluxConfig | undefined {
  const sizes = w.has('double_stream_modulation_img') ? detectTransformer(w, 1) : undefined;
  if (!sizes) return undefined;
  const axes = Array.from({ length: 4 }, () => sizes.headWidth / 4);
  return { ...sizes, axes, theta: 2000, wordAxes: [3] };
}

/** Predicts the flow from picture to noise: the raw output of the network, [b, out, h, w]. */
export const flux2 = (w: Weights, inputs: FluxInputs, config: FluxConfig): Tensor =>
  fluxTransformer(w, inputs, config, {
    double: (vec) => ({
      txt: modulations(w.at('double_stream_modulation_txt.lin'), vec, 2),
      img: modulations(w.at('double_stream_modulation_img.lin'), vec, 2),
    }),
    single: (vec) => modulations(w.at('single_stream_modulation.lin'), vec, 1)[0],
    last: (vec) => lastChange(w, vec),
  });

/**
 * USO's style projector (Wu et al. 2025, "USO: Unified Style and Subject-Driven Generation"): three of SigLIP's
 * layers as tokens beside Flux' words.
 *
 * Source: bytedance/USO, whose key names files carry (`feature_embedder.` removed).
 */
import type { Weights } from '../tensor/cursor.ts';
import { layerNorm, linear } from '../tensor/layers.ts';
import { concat, permute, silu } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Layers of the encoder, counted from its end, by the names of their parts, in the order of their tokens. */
export const styleLayers = { high: -2, mid: -11, low: -20 } as const;

type Level = keyof typeof styleLayers;

/** Sizes of the states [b, tokens, width] that it reads. */
export const styleInput = (w: Weights): { readonly tokens: number; readonly width: number } => ({
  tokens: w.shape('high_embedding_linear.0.weight')[1],
  width: w.shape('high_projection.weight')[1],
});

/** What it makes of states [b, t, c]: tokens [b, n, width of the model]. */
export function styleProjector(w: Weights, states: Readonly<Record<Level, Tensor>>): Tensor {
  const levels = (Object.keys(styleLayers) as Level[]).map((level) => {
    const across = permute(states[level], [0, 2, 1]);
    const fewer = silu(linear(w.at(`${level}_embedding_linear.0`), across)); // [b, c, n]
    const tokens = layerNorm(w.at(`${level}_layer_norm`), permute(fewer, [0, 2, 1]));
    return linear(w.at(`${level}_projection`), tokens);
  });
  return concat(levels, 1);
}

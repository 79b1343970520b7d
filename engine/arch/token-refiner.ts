/**
 * The text of Hunyuan's transformers before it meets the picture: two blocks of self-attention, gated by the time and
 * the text's mean; and texts to draw, whose tokens come from an encoder of bytes.
 *
 * Papers: Kong et al. 2024, "HunyuanVideo", section 4.2; for the bytes Liu et al. 2024, "Glyph-ByT5". Reference:
 * `token_refiner.py` of Tencent-Hunyuan/HunyuanVideo.
 *
 * Sites: every `individual_token_refiner.blocks.i` {x, vec}, inside them `attention` {q, k, v}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { layerNorm, linear } from '../tensor/layers.ts';
import { add, attention, chunk, gelu, mean, mul, silu, unsqueeze } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { embedder } from './flux.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

const timeWidth = 256;

/** Text [b, t, width] at a time [b] (0..1000) as tokens [b, t, c]. */
export function refinedText(
  w: Weights,
  { context, timesteps }: { readonly context: Tensor; readonly timesteps: Tensor },
  heads: number,
): Tensor {
  const time = embedder(w.at('t_embedder'), sinusoidalEmbedding(timesteps, timeWidth));
  const vec = add(time, embedder(w.at('c_embedder'), mean(context, 1))); // [b, c]
  let h = linear(w.at('input_embedder'), context); // [b, t, c]
  const refiner = w.at('individual_token_refiner');
  for (let i = 0; i < refiner.count('blocks'); i++) {
    const at = refiner.at(`blocks.${i}`);
    h = at.site({ x: h, vec }, ({ x, vec }) => block(at, x, vec, heads), { heads });
  }
  return h;
}

function block(w: Weights, x: Tensor, vec: Tensor, heads: number): Tensor {
  const gates = unsqueeze(linear(w.at('adaLN_modulation.1'), silu(vec)), 1);
  const [gate1, gate2] = chunk(gates, 2, -1); // [b, 1, c]
  const norm = (name: string, x: Tensor): Tensor => layerNorm(w.at(name), x, { eps: 1e-6 });
  const [q, k, v] = chunk(linear(w.at('self_attn.qkv'), norm('norm1', x)), 3, -1);
  const mixed = w
    .at('attention')
    .site({ q, k, v }, ({ q, k, v }) => attention(q, k, v, { heads }), { heads });
  const after = add(x, mul(linear(w.at('self_attn.proj'), mixed), gate1));
  const wide = silu(linear(w.at('mlp.0'), norm('norm2', after)));
  return add(after, mul(linear(w.at('mlp.2'), wide), gate2));
}

/** Texts to draw [b, n, width] as tokens [b, n, c]. */
export function glyphTokens(w: Weights, glyphs: Tensor): Tensor {
  const wide = linear(w.at('fc1'), layerNorm(w.at('layernorm'), glyphs));
  return linear(w.at('fc3'), gelu(linear(w.at('fc2'), gelu(wide))));
}

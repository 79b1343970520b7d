/**
 * GLIGEN (Li et al. 2023, "GLIGEN: Open-Set Grounded Text-to-Image Generation"): words in boxes. Every
 * object becomes a token (`position_net`), and a gated layer behind the self-attention of each
 * transformer block (`….fuser`) lets the picture look at them. Key names as released for SD1.
 */
import type { Weights } from '../tensor/cursor.ts';
import { layerNorm, linear } from '../tensor/layers.ts';
import { add, concat, cos, expand, mul, silu, sin, slice, sub, tanh } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { crossAttention, geglu } from './unet.ts';

/** Objects that a network takes; unused ones are learned null features. */
export const gligenObjects = 30;

export interface GligenConfig {
  /** Width of an object's text embedding. */
  readonly textWidth: number;
  /** Paths of the blocks that have a fuser. */
  readonly blocks: readonly string[];
}

/** The network's sizes when `w` stands on a GLIGEN, else undefined. */
export function detectGligen(w: Weights): GligenConfig | undefined {
  if (!w.has('position_net.null_positive_feature')) return undefined;
  const [textWidth] = w.shape('position_net.null_positive_feature');
  const blocks = [...w.ledger.source.tensors.keys()]
    .filter((key) => key.endsWith('.fuser.linear.weight'))
    .map((key) => key.slice(0, -'.fuser.linear.weight'.length));
  return { textWidth, blocks };
}

export interface GligenInputs {
  /** Left, top, right and bottom of every object as parts of the picture [1, n, 4]. */
  readonly boxes: Tensor;
  /** 1 for an object, 0 for none [1, n, 1]. */
  readonly present: Tensor;
  /** Pooled text of every object [1, n, textWidth]. */
  readonly texts: Tensor;
}

/** Base of the frequencies that positions are told in. */
const temperature = 100;

/** Tokens of the objects [1, n, width]; `w` stands on the position net. */
export function gligenTokens(w: Weights, { boxes, present, texts }: GligenInputs): Tensor {
  const [places] = w.shape('null_position_feature');
  const frequencies = places / 8; // sine and cosine of four numbers each
  const waves = Array.from({ length: frequencies }, (_, i) => {
    const angle = mul(boxes, temperature ** (i / frequencies));
    return [sin(angle), cos(angle)];
  });
  const absent = sub(1, present);
  const orNull = (value: Tensor, name: string): Tensor =>
    add(mul(value, present), mul(absent, w.param(name)));
  const text = orNull(texts, 'null_positive_feature');
  const place = orNull(concat(waves.flat(), 2), 'null_position_feature');
  let h = linear(w.at('linears.0'), concat([text, place], 2));
  h = linear(w.at('linears.2'), silu(h));
  return linear(w.at('linears.4'), silu(h)); // [1, n, width]
}

/** Gated self-attention of picture x [b, t, c] and objects [1, n, width]; `w` stands on a fuser. */
export function gligenFuser(w: Weights, x: Tensor, objects: Tensor): Tensor {
  const [channels, width] = w.shape('linear.weight');
  const heads = width === 768 ? 8 : channels / 64; // SD1's, or those of later UNets
  const own = linear(w.at('linear'), objects);
  const seen = concat([x, expand(own, [x.shape[0], own.shape[1], channels])], 1);
  const n = layerNorm(w.at('norm1'), seen);
  const attended = slice(crossAttention(w.at('attn'), n, n, { heads, grid: [] }), 1, 0, x.shape[1]);
  const h = add(x, mul(tanh(w.param('alpha_attn')), attended));
  const inner = geglu(w.at('ff.net'), layerNorm(w.at('norm2'), h));
  return add(h, mul(tanh(w.param('alpha_dense')), inner)); // [b, t, c]
}

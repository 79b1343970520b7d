/** The blocks that Stable Cascade's stages are made of, each known by the keys it has. */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, linear } from '../../tensor/layers.ts';
import {
  add,
  attention,
  cast,
  chunk,
  concat,
  div,
  gelu,
  mean,
  mul,
  plainLayerNorm,
  rearrange,
  silu,
  sizeTensor,
  sqrt,
  unsqueeze,
} from '../../tensor/nn.ts';
import { mulDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { channelsFirst, channelsLast } from '../upscale/pixels.ts';

const eps = 1e-6;

/** What all blocks get beside the picture. */
export interface BlockContext {
  /** Embeddings of the time and of what it is told with, by the names of their mappers [b or 1, c]. */
  readonly times: Readonly<Record<string, Tensor>>;
  /** Text and pictures to look at, normed [b, tokens, width]. */
  readonly clip: Tensor;
  /** Heads of the attention. */
  readonly heads: number;
  /** Where sites inside the block are named. */
  readonly place: Weights;
}

/** One block on x [b, c, h, w]; `skip` [b, c', h, w] is for the first one of a level on the way up. */
export function block(w: Weights, x: Tensor, context: BlockContext, skip?: Tensor): Tensor {
  if (w.has('attention')) return attentionBlock(w, x, context);
  if (w.has('mapper')) return timeBlock(w, x, context);
  return channelBlock(w, x, skip);
}

/** Layer norm over the channels of x [b, c, h, w], without weights. */
export const plainChannelNorm = (x: Tensor): Tensor =>
  channelsFirst(plainLayerNorm(channelsLast(x), { eps }));

/**
 * ConvNeXt's block (Woo et al. 2023): a convolution channel by channel where there is one, then channels
 * are mixed place by place.
 */
function channelBlock(w: Weights, x: Tensor, skip?: Tensor): Tensor {
  const groups = w.has('depthwise') ? w.shape('depthwise.weight')[0] : 0;
  const seen = groups > 0 ? conv2d(w.at('depthwise'), x, { pad: 1, groups }) : x;
  const own = plainLayerNorm(channelsLast(seen), { eps }); // [b, h, w, c]
  const h = skip ? concat([own, channelsLast(skip)], -1) : own;
  const mix = w.at('channelwise');
  const wide = responseNorm(mix.at('2'), gelu(linear(mix.at('0'), h))); // [b, h, w, 4*c]
  return add(channelsFirst(linear(mix.at('4'), wide)), x);
}

/**
 * Each channel of x [b, h, w, c] by how strong it is beside the others (global response norm). Strengths are root
 * means where the source has root sums, which overflow half precision; so is what keeps zeros from being divided.
 */
function responseNorm(w: Weights, x: Tensor): Tensor {
  const [, height, width] = x.shape;
  const rootCount = sqrt(cast(sizeTensor(mulDim(height, width)), 'f32'));
  const strength = sqrt(mean(mul(x, x), [1, 2], { keep: true })); // [b, 1, 1, c]
  const others = add(mean(strength, -1, { keep: true }), div(eps, rootCount));
  return add(add(mul(w.param('gamma'), mul(x, div(strength, others))), w.param('beta')), x);
}

/** x scaled and shifted by what the times say together. */
function timeBlock(w: Weights, x: Tensor, { times }: BlockContext): Tensor {
  const changes = Object.entries(times)
    .filter(([mapper]) => w.has(mapper))
    .map(([mapper, time]) => linear(w.at(mapper), time)); // [b, 2*c]
  const [scale, shift] = chunk(unsqueeze(changes.reduce(add), [2, 3]), 2, 1);
  return add(mul(x, add(scale, 1)), shift);
}

/** Places look at one another and at what the prompt says. */
function attentionBlock(w: Weights, x: Tensor, { clip, heads, place }: BlockContext): Tensor {
  const [, , height, width] = x.shape;
  const attn = w.at('attention.attn');
  const own = rearrange(plainChannelNorm(x), 'b c h w -> b (h w) c');
  const told = linear(w.at('kv_mapper.1'), silu(clip)); // [b, tokens, c]
  const all = concat([own, told], 1);
  const parts = {
    q: linear(attn.at('to_q'), own),
    k: linear(attn.at('to_k'), all),
    v: linear(attn.at('to_v'), all),
  };
  const facts = { heads, grid: [height, width] };
  const mixed = place
    .at('attention')
    .site(parts, ({ q, k, v }) => attention(q, k, v, { heads }), facts);
  const out = linear(attn.at('out_proj'), mixed);
  return add(rearrange(out, 'b (h w) c -> b c h w', { h: height, w: width }), x);
}

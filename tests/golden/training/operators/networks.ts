/** Norms, attention, rotations, and blocks of networks. */
import {
  add,
  attention,
  chunk,
  constant,
  detach,
  gelu,
  greater,
  mul,
  plainLayerNorm,
  rearrange,
  rotaryEmbedding,
  silu,
  sum,
  tanh,
  unsqueeze,
  where,
} from '../../../../engine/tensor/nn.ts';
import { sinusoidalEmbedding } from '../../../../engine/arch/timestep-embedding.ts';
import { normOps } from '../../../../engine/tensor/ops/norms.ts';
import { fixedDim } from '../../../../engine/tensor/shape.ts';
import { type Tensor, node } from '../../../../engine/tensor/tensor.ts';
import type { Inputs, Operator, Operators } from './operator.ts';
import { convolution, linear } from './products.ts';

const given = (...inputs: readonly (Tensor | undefined)[]): Tensor[] =>
  inputs.filter((input) => input !== undefined);

const groupNorm = (
  x: Tensor,
  weight: Tensor | undefined,
  bias: Tensor | undefined,
  { groups = 1, eps }: { readonly groups?: number; readonly eps: number },
): Tensor => node(normOps.groupNorm, given(x, weight, bias), { groups, eps });

/** Attention of q, k, v [b, heads, tokens, d]. */
function inHeads({ q, k, v }: Inputs, options: { mask?: Tensor; causal?: boolean } = {}): Tensor {
  const [heads, kvHeads] = [q, k].map(({ shape }) => fixedDim(shape[1], 'heads'));
  const [packedQ, packedK, packedV] = [q, k, v].map((x) => rearrange(x, 'b h n d -> b n (h d)'));
  const out = attention(packedQ, packedK, packedV, { heads, kvHeads, ...options });
  return rearrange(out, 'b n (h d) -> b h n d', { h: heads });
}

const attend: Operator = (inputs) => inHeads(inputs);

/** Turns pairs of x [b, heads, tokens, d]. */
const rotary =
  (interleaved: boolean): Operator =>
  ({ x, cos, sin }) => {
    const packed = rearrange(x, 'b h n d -> b n (h d)');
    const turned = rotaryEmbedding(packed, { cos, sin }, { interleaved });
    return rearrange(turned, 'b n (h d) -> b h n d', { h: x.shape[1] });
  };

/** A vector for each sample [b, c], for all its tokens. */
const forTokens = (x: Tensor): Tensor => unsqueeze(x, 1);

const modulated = (x: Tensor, scale: Tensor, shift: Tensor): Tensor =>
  add(mul(x, add(forTokens(scale), 1)), forTokens(shift));

function residualBlock(i: Inputs): Tensor {
  const norm = { groups: 2, eps: 1e-5 };
  const time = unsqueeze(linear(silu(i.e), i.we, i.be), [2, 3]);
  const first = convolution(silu(groupNorm(i.x, i.g1, i.b1, norm)), i.w1, i.c1, { pad: 1 });
  const inner = silu(groupNorm(add(first, time), i.g2, i.b2, norm));
  const second = convolution(inner, i.w2, i.c2, { pad: 1 });
  return add(convolution(i.x, i.ws, i.cs), second);
}

export const networks: Operators = {
  group_norm: ({ x, w, b }, { groups, eps }) => groupNorm(x, w, b, { groups, eps }),
  group_norm_3axes: ({ x, v, w, b }, { groups, eps }) =>
    [x, v].map((each) => groupNorm(each, w, b, { groups, eps })),
  'group_norm_eps1e-6_noaffine': ({ x }, { groups, eps }) =>
    groupNorm(x, undefined, undefined, { groups, eps }),
  layer_norm: ({ x, w, b }, { eps }) => node(normOps.layerNorm, [x, w, b], { eps }),
  layer_norm_noaffine: ({ x }, { eps }) => plainLayerNorm(x, { eps }),
  rms_norm: ({ x, w }, { eps }) => node(normOps.rmsNorm, [x, w], { eps }),

  attention_self: attend,
  attention_cross: attend,
  attention_gqa: attend,
  attention_causal: (inputs) => inHeads(inputs, { causal: true }),
  attention_mask_add: (inputs) => inHeads(inputs, { mask: inputs.mask }),
  attention_mask_bool: (inputs) =>
    inHeads(inputs, {
      mask: where(greater(inputs.mask, 0), constant([0], []), -3.4028234663852886e38),
    }),
  attention_heads_packed: ({ q, k, v }, { heads }) => attention(q, k, v, { heads }),
  rope_half: rotary(false),
  rope_interleaved: rotary(true),

  geglu: ({ x, w, b }) => {
    const [value, gate] = chunk(linear(x, w, b), 2, -1);
    return mul(value, gelu(gate));
  },
  swiglu: ({ x, w1, w2, w3 }) => linear(mul(silu(linear(x, w1)), linear(x, w3)), w2),
  fma_modulate: ({ x, scale, shift, gate }) => mul(modulated(x, scale, shift), forTokens(gate)),
  adaln_full: ({ x, c, w, b }) => {
    const [shift, scale, gate] = chunk(linear(silu(c), w, b), 3, 1);
    const inner = modulated(plainLayerNorm(x, { eps: 1e-6 }), scale, shift);
    return add(x, mul(forTokens(gate), tanh(inner)));
  },
  timestep_mlp: ({ t, w1, b1, w2, b2 }) =>
    linear(
      silu(linear(sinusoidalEmbedding(t, fixedDim(w1.shape[1], 'the vector')), w1, b1)),
      w2,
      b2,
    ),
  two_level_chain: residualBlock,
  stop_gradient: ({ x }) => mul(x, detach(x)),
  shared_use: ({ x, w }) => linear(add(x, mul(silu(x), sum(x, [0, 1]))), w),
};

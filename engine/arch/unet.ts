/**
 * The UNet of Stable Diffusion 1, 2 and XL (and their inpaint, instruct and x4 variants).
 *
 * Papers: Rombach et al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models";
 * Podell et al. 2023, "SDXL". Reference: the `openaimodel.py` of CompVis/latent-diffusion, whose
 * key names single-file checkpoints carry under `model.diffusion_model.`.
 * In: x [b, c, h, w], timesteps [b], context [b, t, width], y [b, adm]; out: [b, 4, h, w].
 * Block counts, widths and the kind of every block come from the keys and shapes of the file.
 *
 * Sites (engine/tensor/patch.ts): `time_embed` {emb}; every `input_blocks.i` and `middle_block` {h},
 * every `output_blocks.i` {h, skip}; behind an input block and its residuals `input_blocks.i.before_skip`
 * {h}, and `input_blocks.i.after_skip` {h}, which the skip connection does not see; in a transformer block
 * `attn1` and `attn2` {x, context, value}, inside them `attention` {q, k, v}, and `after_attn1` {h}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d, embedding, groupNorm, layerNorm, linear } from '../tensor/layers.ts';
import {
  add,
  attention,
  chunk,
  concat,
  gelu,
  mul,
  rearrange,
  silu,
  unsqueeze,
  upsampleNearest,
} from '../tensor/nn.ts';
import type { SiteFacts } from '../tensor/patch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

/** What the encoder half needs to know, which control networks share. */
export interface EncoderConfig {
  readonly inChannels: number;
  readonly modelChannels: number;
  /** Width of the text embedding; undefined for a UNet without attention. */
  readonly contextWidth: number | undefined;
  /** Width of the vector condition `y`; undefined without one. */
  readonly admWidth: number | undefined;
  /** Transformer blocks of every input block, from the outermost: 0 = no attention there. */
  readonly depths: readonly number[];
  /** SD1 projects with 1x1 convolutions, later models with linear layers. */
  readonly linearProjection: boolean;
  /** Either a fixed number of heads or a fixed number of channels per head. */
  readonly heads: { readonly count: number } | { readonly width: number };
  /** Video models mix in layers over time, which this network lacks. */
  readonly temporal: boolean;
}

export interface UNetConfig extends EncoderConfig {
  readonly outChannels: number;
}

export interface UNetInputs {
  /** Scaled latent with any extra channels behind it [b, c, h, w]. */
  readonly x: Tensor;
  /** Model time of every row [b]. */
  readonly timesteps: Tensor;
  /** Text embedding [b, t, width]. */
  readonly context: Tensor;
  /** Vector condition [b, adm], or noise levels [b] (i64) where the file has a table of them. */
  readonly y?: Tensor;
}

/** The UNet's sizes when `w` stands on one, else undefined. Reads names and shapes only. */
export function detectUNet(w: Weights): UNetConfig | undefined {
  if (!w.has('input_blocks.0.0.weight') || !w.has('out.2.weight')) return undefined;
  return { ...detectEncoder(w), outChannels: w.shape('out.2.weight')[0] };
}

/** The sizes of the encoder half; `w` stands on a UNet or on a copy of its first half. */
export function detectEncoder(w: Weights): EncoderConfig {
  const [modelChannels, inChannels] = w.shape('input_blocks.0.0.weight');
  const blocks = Array.from({ length: w.count('input_blocks') }, (_, i) => `input_blocks.${i}`);
  const depths = blocks.map((block) => w.count(`${block}.1.transformer_blocks`));
  const transformer = [...blocks.filter((_, i) => depths[i] > 0), 'middle_block']
    .map((block) => `${block}.1`)
    .find((block) => w.has(`${block}.proj_in.weight`));
  const linearProjection =
    transformer !== undefined && w.shape(`${transformer}.proj_in.weight`).length === 2;
  // the x4 upscaler (latent + RGB in) kept 8 heads when its projections became linear
  const fixedHeads = !linearProjection || inChannels === 7;
  return {
    inChannels,
    modelChannels,
    contextWidth:
      transformer === undefined
        ? undefined
        : w.shape(`${transformer}.transformer_blocks.0.attn2.to_k.weight`)[1],
    admWidth: w.has('label_emb.0.0.weight') ? w.shape('label_emb.0.0.weight')[1] : undefined,
    depths,
    linearProjection,
    heads: fixedHeads ? { count: 8 } : { width: 64 },
    temporal: blocks.some(
      (block) => w.has(`${block}.1.time_stack`) || w.has(`${block}.1.time_mix_blocks`),
    ),
  };
}

/** A numbered block of a UNet, as far as its keys tell. */
export interface UNetBlock {
  /** Its site: `input_blocks.3`, `middle_block`. */
  readonly name: string;
  /** How often the picture was halved before its layers. */
  readonly level: number;
  /** What it does to the size of the picture, after its layers. */
  readonly resizes?: 'halves' | 'doubles';
  /** Channels of its output. */
  readonly channels: number;
  /** Sites of its self-attentions, in the order in which they run. */
  readonly selfAttentions: readonly string[];
}

/** All blocks in the order in which they run. Reads names and shapes only. */
export function unetBlocks(w: Weights): UNetBlock[] {
  const numbered = (side: string): string[] =>
    Array.from({ length: w.count(side) }, (_, i) => `${side}.${i}`);
  const names = [...numbered('input_blocks'), 'middle_block', ...numbered('output_blocks')];
  let level = 0;
  let channels = 0;
  return names.map((name) => {
    const layers = Array.from({ length: w.count(name) }, (_, i) => `${name}.${i}`);
    const resizes = layers.some((layer) => w.has(`${layer}.op`))
      ? 'halves'
      : layers.some((layer) => w.has(`${layer}.conv`))
        ? 'doubles'
        : undefined;
    const selfAttentions = layers.flatMap((layer) => {
      const blocks = `${layer}.transformer_blocks`;
      return Array.from({ length: w.count(blocks) }, (_, i) => `${blocks}.${i}.attn1`);
    });
    const convolutions = layers.flatMap((layer) =>
      [`${layer}.out_layers.3`, `${layer}.op`, `${layer}.conv`, layer].filter((path) =>
        w.has(`${path}.weight`),
      ),
    );
    const last = convolutions.at(-1);
    if (last !== undefined) channels = w.shape(`${last}.weight`)[0];
    const block: UNetBlock = { name, level, resizes, channels, selfAttentions };
    if (resizes) level += resizes === 'halves' ? 1 : -1;
    return block;
  });
}

/** Predicts eps (or v): the raw output of the network, [b, out, h, w]. */
export function unet(w: Weights, inputs: UNetInputs, config: UNetConfig): Tensor {
  const { x, timesteps, context, y } = inputs;
  const emb = w
    .at('time_embed')
    .site({ emb: embed(w, timesteps, y, config.modelChannels) }, ({ emb }) => emb); // [b, 4*c]

  const encoded = encode(w, x, { emb, context, config });
  const { skips } = encoded;
  let h = encoded.middle;
  for (let i = 0; i < w.count('output_blocks'); i++) {
    const block = w.at(`output_blocks.${i}`);
    const skip = skips.pop()!;
    const inner = { emb, context, config, upTo: skips.at(-1) };
    h = block.site({ h, skip }, ({ h, skip }) => sequence(block, concat([h, skip], 1), inner));
  }
  h = silu(groupNorm(w.at('out.0'), h));
  return conv2d(w.at('out.2'), h, { pad: 1 }); // [b, out, h, w]
}

/**
 * The encoder half: what every input block gives (the first plus `hint`, where there is one), and the
 * middle.
 */
export function encode(
  w: Weights,
  x: Tensor,
  inner: BlockContext,
  hint?: Tensor,
): { readonly skips: Tensor[]; readonly middle: Tensor } {
  let h = x;
  const skips: Tensor[] = [];
  for (let i = 0; i < w.count('input_blocks'); i++) {
    const block = w.at(`input_blocks.${i}`);
    h = block.site({ h }, ({ h }) => sequence(block, h, inner));
    if (hint && i === 0) h = add(h, hint);
    h = block.at('before_skip').site({ h }, ({ h }) => h);
    skips.push(h);
    h = block.at('after_skip').site({ h }, ({ h }) => h);
  }
  if (w.has('middle_block')) {
    const block = w.at('middle_block');
    h = block.site({ h }, ({ h }) => sequence(block, h, inner));
  }
  return { skips, middle: h };
}

/** What all blocks get beside the picture. */
export interface BlockContext {
  readonly emb: Tensor;
  readonly context: Tensor;
  readonly config: EncoderConfig;
  /** The skip connection an upsampling block must match in size. */
  readonly upTo?: Tensor;
}

/** One numbered block: its layers in order, each known by the keys it has. */
function sequence(w: Weights, x: Tensor, context: BlockContext): Tensor {
  let h = x;
  for (let i = 0; w.has(String(i)); i++) {
    const layer = w.at(String(i));
    if (layer.has('in_layers')) h = resBlock(layer, h, context.emb);
    else if (layer.has('transformer_blocks')) h = spatialTransformer(layer, h, context);
    else if (layer.has('op'))
      h = conv2d(layer.at('op'), h, { stride: 2, pad: 1 }); // [b, c, h/2, w/2]
    else if (layer.has('conv')) h = upsample(layer, h, context.upTo);
    else h = conv2d(layer, h, { pad: 1 });
  }
  return h;
}

/** Time and label embedding, the same for all blocks. */
export function embed(
  w: Weights,
  timesteps: Tensor,
  y: Tensor | undefined,
  channels: number,
): Tensor {
  const time = sinusoidalEmbedding(timesteps, channels); // [b, c]
  const emb = linear(w.at('time_embed.2'), silu(linear(w.at('time_embed.0'), time))); // [b, 4*c]
  if (!y) return emb;
  if (w.has('label_emb.weight')) return add(emb, embedding(w.at('label_emb'), y));
  return add(emb, linear(w.at('label_emb.0.2'), silu(linear(w.at('label_emb.0.0'), y))));
}

/** Residual block; skip_connection exists only where channels change. */
function resBlock(w: Weights, x: Tensor, emb: Tensor): Tensor {
  let h = conv2d(w.at('in_layers.2'), silu(groupNorm(w.at('in_layers.0'), x)), { pad: 1 });
  h = add(h, unsqueeze(linear(w.at('emb_layers.1'), silu(emb)), [2, 3])); // [b, c, h, w]
  h = conv2d(w.at('out_layers.3'), silu(groupNorm(w.at('out_layers.0'), h)), { pad: 1 });
  return add(w.has('skip_connection') ? conv2d(w.at('skip_connection'), x) : x, h);
}

/** Attention over all positions of the picture and the text, as a residual. */
function spatialTransformer(w: Weights, x: Tensor, { context, config }: BlockContext): Tensor {
  const [, , height, width] = x.shape;
  const flat = (h: Tensor) => rearrange(h, 'b c h w -> b (h w) c');
  const square = (h: Tensor) => rearrange(h, 'b (h w) c -> b c h w', { h: height, w: width });
  const channels = w.shape('norm.weight')[0];
  const heads = 'count' in config.heads ? config.heads.count : channels / config.heads.width;
  const facts = { heads, grid: [height, width] };

  let h = groupNorm(w.at('norm'), x, { eps: 1e-6 }); // [b, c, h, w]
  const projectIn = w.at('proj_in');
  const projectOut = w.at('proj_out');
  h = config.linearProjection ? linear(projectIn, flat(h)) : flat(conv2d(projectIn, h)); // [b, h*w, c]
  for (let i = 0; i < w.count('transformer_blocks'); i++) {
    h = transformerBlock(w.at(`transformer_blocks.${i}`), h, context, facts); // [b, h*w, c]
  }
  h = config.linearProjection ? square(linear(projectOut, h)) : conv2d(projectOut, square(h));
  return add(h, x); // [b, c, h, w]
}

function transformerBlock(w: Weights, x: Tensor, context: Tensor, facts: AttentionFacts): Tensor {
  // the x4 upscaler's outer blocks look at the text twice and never at themselves
  const [own, keyWidth] = w.shape('attn1.to_k.weight');
  const looksAtText = keyWidth !== own && keyWidth === w.shape('attn2.to_k.weight')[1];
  const n = layerNorm(w.at('norm1'), x);
  let h = add(crossAttention(w.at('attn1'), n, looksAtText ? context : n, facts), x);
  h = w.at('after_attn1').site({ h }, ({ h }) => h);
  h = add(crossAttention(w.at('attn2'), layerNorm(w.at('norm2'), h), context, facts), h);
  return add(geglu(w.at('ff.net'), layerNorm(w.at('norm3'), h)), h); // [b, t, c]
}

export type AttentionFacts = Required<Pick<SiteFacts, 'heads' | 'grid'>>;

/** Attention of x [b, t, c] to a context [b, s, width], or to itself. */
export function crossAttention(
  w: Weights,
  x: Tensor,
  context: Tensor,
  facts: AttentionFacts,
): Tensor {
  const attend = ({ q, k, v }: { q: Tensor; k: Tensor; v: Tensor }): Tensor =>
    attention(q, k, v, { heads: facts.heads });
  return w.site(
    { x, context, value: context },
    ({ x, context, value }) => {
      const q = linear(w.at('to_q'), x); // [b, t, c]
      const k = linear(w.at('to_k'), context); // [b, s, c]
      const v = linear(w.at('to_v'), value);
      const mixed = w.at('attention').site({ q, k, v }, attend, facts); // [b, t, c]
      return linear(w.at('to_out.0'), mixed);
    },
    facts,
  );
}

/** Gated feed-forward (Shazeer 2020): the first half times gelu of the second. */
export function geglu(w: Weights, x: Tensor): Tensor {
  const [value, gate] = chunk(linear(w.at('0.proj'), x), 2, -1); // [b, t, 4*c] each
  return linear(w.at('2'), mul(value, gelu(gate))); // [b, t, c]
}

/** Nearest to the exact size of the next skip connection, so that odd sizes work. */
function upsample(w: Weights, x: Tensor, upTo: Tensor | undefined): Tensor {
  const size = upTo ? { height: upTo.shape[2], width: upTo.shape[3] } : { scale: 2 };
  return conv2d(w.at('conv'), upsampleNearest(x, size), { pad: 1 }); // [b, c, 2*h, 2*w]
}

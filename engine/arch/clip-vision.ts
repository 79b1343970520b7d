/**
 * The picture half of CLIP (ViT-L, H and G) and of SigLIP: what unCLIP, style models, IP-Adapters and
 * video models see of a picture.
 *
 * Papers: Radford et al. 2021 (CLIP); Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training"
 * (SigLIP); Dosovitskiy et al. 2021 (ViT). Reference: `CLIPVisionModelWithProjection` of
 * huggingface/transformers, whose key names (`vision_model.*`, `visual_projection.weight`) the files
 * carry; OpenCLIP names are renamed by `weights/key-maps/open-clip.ts`.
 * In: pixels [b, 3, size, size], normalised. Sites: every `vision_model.encoder.layers.i` {h}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d, layerNorm, linear } from '../tensor/layers.ts';
import { add, concat, expand, gelu, rearrange, slice, squeeze, unsqueeze } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type ClipBlockOptions, clipBlock } from './clip.ts';

export interface ClipVisionConfig {
  readonly width: number;
  readonly layers: number;
  /** Pixels a side of the picture. */
  readonly size: number;
  /** Pixels a side of a token. */
  readonly patch: number;
  readonly activation: ClipBlockOptions['activation'];
  /** What pixels of 0..1 are centred and scaled by, channel by channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Attention heads, whatever the width, in every released model. */
const heads = 16;

const clipPixels = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};
const siglipPixels = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

/** Layers of SigLIP, counted from the end, that others read besides (USO). */
export const earlierLayers: readonly number[] = [-11, -20];

/** The encoder's sizes when `w` stands on one, else undefined. */
export function detectClipVision(w: Weights): ClipVisionConfig | undefined {
  const embeddings = w.at('vision_model.embeddings');
  if (!embeddings.has('patch_embedding.weight')) return undefined;
  const [width, , patch] = embeddings.shape('patch_embedding.weight');
  const [positions] = embeddings.shape('position_embedding.weight');
  const isClip = embeddings.has('class_embedding');
  const side = Math.sqrt(isClip ? positions - 1 : positions);
  if (!Number.isInteger(side) || width % heads !== 0) return undefined;
  const layers = w.count('vision_model.encoder.layers');
  const sizes = { width, layers, patch, size: patch * side };
  if (!isClip) return { ...sizes, ...siglipPixels, activation: 'geluTanh' };
  // H has 32 layers and G 48; L, which has 24, came from OpenAI with its own approximation
  return { ...sizes, ...clipPixels, activation: layers > 30 ? 'gelu' : 'quickGelu' };
}

/**
 * - `last` [b, t, c]: the residual stream after all blocks (SigLIP: normed);
 * - `penultimate` [b, t, c]: after all blocks but one; of SigLIP `layer-11` and `layer-20` likewise;
 * - `embeds`: the class token, normed and projected [b, p] (SigLIP has none: all tokens [b, t, c]);
 * - `projected` [b, t - 1, p]: `penultimate` as LLaVA's language model reads it, where the file has that part.
 */
export function clipVision(
  w: Weights,
  pixels: Tensor,
  config: Pick<ClipVisionConfig, 'layers' | 'activation'>,
): Record<string, Tensor> {
  const { last, penultimate, earlier, seen } = clipVisionTrunk(w, pixels, config);
  const projection = w.at('visual_projection');
  const embeds = projection.has('weight') ? linear(projection, seen) : seen;
  const outputs: Record<string, Tensor> = { last, penultimate, embeds, ...earlier };
  const projector = w.at('multi_modal_projector');
  if (projector.has('linear_1')) {
    const inner = gelu(linear(projector.at('linear_1'), slice(penultimate, 1, 1)));
    outputs.projected = linear(projector.at('linear_2'), inner);
  }
  return outputs;
}

/** The same before any projection; `seen` is the normed class token [b, c] (SigLIP: all tokens [b, t, c]). */
export function clipVisionTrunk(
  w: Weights,
  pixels: Tensor,
  { layers, activation }: Pick<ClipVisionConfig, 'layers' | 'activation'>,
): {
  readonly last: Tensor;
  readonly penultimate: Tensor;
  /** By name, where it has such layers. */
  readonly earlier: Readonly<Record<string, Tensor>>;
  readonly seen: Tensor;
} {
  const model = w.at('vision_model');
  const hasClass = model.has('embeddings.class_embedding');
  let h = embedPatches(model.at('embeddings'), pixels); // [b, t, c]
  if (model.has('pre_layrnorm')) h = layerNorm(model.at('pre_layrnorm'), h); // sic
  let penultimate = h;
  const earlier: Record<string, Tensor> = {};
  for (let i = 0; i < layers; i++) {
    const layer = model.at(`encoder.layers.${i}`);
    h = layer.site({ h }, ({ h }) => clipBlock(layer, h, { heads, activation }));
    if (i === layers - 2) penultimate = h;
    if (!hasClass && earlierLayers.includes(i - layers)) earlier[`layer${i - layers}`] = h;
  }
  const norm = (x: Tensor): Tensor => layerNorm(model.at('post_layernorm'), x);
  if (!hasClass) {
    const last = norm(h);
    return { last, penultimate, earlier, seen: last };
  }
  return { last: h, penultimate, earlier, seen: norm(squeeze(slice(h, 1, 0, 1), 1)) };
}

/** Patches as tokens, a class token in front of them where there is one, plus positions. */
function embedPatches(w: Weights, pixels: Tensor): Tensor {
  const [width, , stride] = w.shape('patch_embedding.weight');
  const patches = conv2d(w.at('patch_embedding'), pixels, { stride }); // [b, c, h, w]
  let h = rearrange(patches, 'b c h w -> b (h w) c');
  if (w.has('class_embedding')) {
    const token = expand(unsqueeze(w.param('class_embedding'), [0, 1]), [h.shape[0], 1, width]);
    h = concat([token, h], 1);
  }
  return add(h, unsqueeze(w.at('position_embedding').param('weight'), 0)); // [b, t, c]
}

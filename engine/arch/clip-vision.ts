/**
 * The picture half of CLIP (ViT-L, H and G), of SigLIP and of SigLIP 2 for pictures of any shape: what unCLIP, style models, IP-Adapters and
 * video models see of a picture.
 *
 * Papers: Radford et al. 2021 (CLIP); Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training"
 * (SigLIP); Tschannen et al. 2025, "SigLIP 2" (NaFlex); Dosovitskiy et al. 2021 (ViT). Reference: `CLIPVisionModelWithProjection` of
 * huggingface/transformers, whose key names (`vision_model.*`, `visual_projection.weight`) the files
 * carry; OpenCLIP names are renamed by `weights/key-maps/open-clip.ts`.
 * In: pixels [b, 3, size, size], normalised; of any shape [b, 3, rows*patch, columns*patch] with what the learned
 * square of positions gives to its rows and columns. Sites: every `vision_model.encoder.layers.i` {h}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv2d, layerNorm, linear } from '../tensor/layers.ts';
import {
  add,
  concat,
  expand,
  gelu,
  matmul,
  rearrange,
  reshape,
  slice,
  squeeze,
  unsqueeze,
} from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type ClipBlockOptions, clipBlock } from './clip.ts';
import { patchify } from './patchify.ts';

export interface ClipVisionConfig {
  readonly width: number;
  readonly layers: number;
  /** Pixels a side of the picture; of any shape: of the square that has as many. */
  readonly size: number;
  /** It takes pictures of any shape. */
  readonly anyShape: boolean;
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
  const [width, inner, side] = embeddings.shape('patch_embedding.weight');
  const anyShape = side === undefined;
  const patch = anyShape ? Math.sqrt(inner / 3) : side;
  const [positions] = embeddings.shape('position_embedding.weight');
  const isClip = embeddings.has('class_embedding');
  const patches = Math.sqrt(isClip ? positions - 1 : positions);
  if (!Number.isInteger(patches) || !Number.isInteger(patch)) return undefined;
  if (width % heads !== 0) return undefined;
  const layers = w.count('vision_model.encoder.layers');
  const sizes = { width, layers, patch, size: patch * patches, anyShape };
  if (!isClip) return { ...sizes, ...siglipPixels, activation: 'geluTanh' };
  // H has 32 layers and G 48; L, which has 24, came from OpenAI with its own approximation
  return { ...sizes, ...clipPixels, activation: layers > 30 ? 'gelu' : 'quickGelu' };
}

/** How much of each row and column of the learned square counts: [rows, side] and [columns, side]. */
export interface PositionShares {
  readonly rows: Tensor;
  readonly columns: Tensor;
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
  shares?: PositionShares,
): Record<string, Tensor> {
  const { last, penultimate, earlier, seen } = clipVisionTrunk(w, pixels, config, shares);
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
  shares?: PositionShares,
): {
  readonly last: Tensor;
  readonly penultimate: Tensor;
  /** By name, where it has such layers. */
  readonly earlier: Readonly<Record<string, Tensor>>;
  readonly seen: Tensor;
} {
  const model = w.at('vision_model');
  const hasClass = model.has('embeddings.class_embedding');
  const embeddings = model.at('embeddings');
  let h = shares ? embedAnyShape(embeddings, pixels, shares) : embedPatches(embeddings, pixels); // [b, t, c]
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

/** Patches of pictures of any shape as tokens, with the learned square of positions drawn to that shape. */
function embedAnyShape(w: Weights, pixels: Tensor, { rows, columns }: PositionShares): Tensor {
  const [positions, width] = w.shape('position_embedding.weight');
  const [, inner] = w.shape('patch_embedding.weight');
  const tokens = linear(w.at('patch_embedding'), patchify(pixels, Math.sqrt(inner / 3), 'p q c'));
  const side = Math.sqrt(positions);
  const square = w.at('position_embedding').param('weight'); // [side*side, c]
  const inRows = matmul(rows, reshape(square, [side, side * width])); // [rows, side*c]
  const places = matmul(columns, reshape(inRows, [rows.shape[0], side, width])); // [rows, columns, c]
  return add(tokens, reshape(places, [1, -1, width]));
}

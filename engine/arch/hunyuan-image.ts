/**
 * HunyuanImage 2.1 and its refiner: Flux's blocks behind a text that is refined first, as in HunyuanVideo. The
 * refiner's latents have frames, of which pictures have one.
 *
 * Paper: Kong et al. 2024, "HunyuanVideo"; for the distilled one Geng et al. 2025, "Mean Flows". Reference: `models.py`
 * of Tencent-Hunyuan/HunyuanImage-2.1 under the names that ComfyUI gives its keys.
 * In: x [b, c, h, w] or [b, c, f, h, w], timesteps [b] (0..1000), context [b, t, width], glyphs [b, n, width],
 * guidance [b] where the model was distilled with it; out: x's shape with the file's channels.
 *
 * Sites: those of the text (token-refiner.ts), then as Flux's on the sequence [text, glyphs, picture].
 */
import type { Weights } from '../tensor/cursor.ts';
import { add, concat, div, mul, rearrange, reshape, slice } from '../tensor/nn.ts';
import { convAttrs, windowOps } from '../tensor/ops/windows.ts';
import { linear } from '../tensor/layers.ts';
import { type Tensor, node } from '../tensor/tensor.ts';
import { embedder, fluxBlocks, ownModulators } from './flux.ts';
import { modulated } from './modulation.ts';
import { frameOf, gridOf, unpatchify, unpatchifyFrames, wholePatches } from './patchify.ts';
import { axialRotation, framePlaces, gridPlaces, joinPositions, samePlace } from './rope.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';
import { glyphTokens, refinedText } from './token-refiner.ts';

export interface HunyuanImageConfig {
  /** Channels of the noisy latent and what lies beside it. */
  readonly inChannels: number;
  readonly outChannels: number;
  readonly contextWidth: number;
  readonly headWidth: number;
  /** Cells of a latent along a token's side. */
  readonly patch: number;
  /** Latents have frames. */
  readonly frames: boolean;
  /** Shares of a head that turn by (frame,) row and column. */
  readonly axes: readonly number[];
  readonly theta: number;
  /** Distilled with its guidance as an input. */
  readonly guided: boolean;
  /** Told the noise level that the sampler goes to. */
  readonly aimed: boolean;
  /** Width of the tokens of texts to draw; 0 where it reads none. */
  readonly glyphWidth: number;
}

/** Width of the sinusoidal embeddings of numbers. */
const numberWidth = 256;
/** Noise levels and guidances are told in thousandths; times come so. */
const thousand = 1000;

/** The sizes of a Hunyuan transformer without pooled text under `w`, or undefined. */
export function detectHunyuanImage(w: Weights): HunyuanImageConfig | undefined {
  if (!w.has('txt_in.individual_token_refiner.blocks.0.norm1.weight')) return undefined;
  // with pooled text it is HunyuanVideo, with kinds of tokens HunyuanVideo 1.5
  if (w.has('vector_in') || w.has('cond_type_embedding')) return undefined;
  const [headWidth] = w.shape('double_blocks.0.img_attn.norm.key_norm.scale');
  const [, inChannels, ...kernel] = w.shape('img_in.proj.weight');
  const frames = kernel.length === 3;
  const patch = kernel[kernel.length - 1];
  return {
    inChannels,
    outChannels: w.shape('final_layer.linear.weight')[0] / patch ** 2,
    contextWidth: w.shape('txt_in.input_embedder.weight')[1],
    headWidth,
    patch,
    frames,
    axes: frames
      ? [headWidth / 8, (7 * headWidth) / 16, (7 * headWidth) / 16]
      : [headWidth / 2, headWidth / 2],
    theta: 256,
    guided: w.has('guidance_in'),
    aimed: w.has('time_r_in'),
    glyphWidth: w.has('byt5_in') ? w.shape('byt5_in.fc1.weight')[1] : 0,
  };
}

export interface HunyuanImageInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
  readonly glyphs?: Tensor;
  readonly guidance?: Tensor;
  /** The noise level that the sampler goes to [b]. */
  readonly nextSigma?: Tensor;
}

/** Predicts the flow from picture to noise: the raw output of the network, x's shape with `outChannels`. */
export function hunyuanImage(
  w: Weights,
  inputs: HunyuanImageInputs,
  config: HunyuanImageConfig,
): Tensor {
  const { x, timesteps, context, glyphs } = inputs;
  const { patch, headWidth, axes, theta, frames } = config;
  const heads = w.shape('img_in.proj.weight')[0] / headWidth;
  const vec = vectorOf(w, inputs); // [b, c]
  const words = refinedText(w.at('txt_in'), { context, timesteps }, heads); // [b, t, c]
  const text = glyphs ? concat([words, glyphTokens(w.at('byt5_in'), glyphs)], 1) : words;
  const image = tokensOf(w.at('img_in.proj'), x, patch); // [b, n, c]
  const pictures = frames ? frameOf(x) : x;
  const grid = gridOf(pictures, patch);
  const length = text.shape[1];
  const cells = frames ? framePlaces(x.shape[2], gridPlaces(grid)) : gridPlaces(grid);
  const facts = {
    rotation: axialRotation(joinPositions([samePlace(length, axes.length), cells]), {
      widths: axes,
      theta,
    }),
    heads,
    text: length,
    grid: [grid.rows, grid.columns],
  };
  const modulators = ownModulators(w);
  const h = fluxBlocks(w, { text, image, vec }, facts, modulators);
  const tokens = modulated(slice(h, 1, length), modulators.last(vec));
  const flat = linear(w.at('final_layer.linear'), tokens);
  return frames ? unpatchifyFrames(flat, x, patch) : unpatchify(flat, x, patch);
}

/** Time, the time that the sampler goes to, and guidance as one vector [b, c]. */
function vectorOf(w: Weights, inputs: HunyuanImageInputs): Tensor {
  const { timesteps, nextSigma, guidance } = inputs;
  const number = (name: string, value: Tensor): Tensor =>
    embedder(w.at(name), sinusoidalEmbedding(value, numberWidth));
  const now = number('time_in', timesteps);
  const time = nextSigma ? div(add(now, number('time_r_in', mul(nextSigma, thousand))), 2) : now;
  return guidance ? add(time, number('guidance_in', mul(guidance, thousand))) : time;
}

/** Patches as tokens, of frames after one another: [b, n, c]. */
function tokensOf(w: Weights, x: Tensor, patch: number): Tensor {
  const frames = x.shape.length === 5;
  const pictures = wholePatches(frames ? frameOf(x) : x, patch);
  const cells = w.layer(pictures, (weight, bias) => {
    const [out, channels] = weight.shape;
    const flat = reshape(weight, [out, channels, patch, patch]); // a patch has one frame
    const attrs = convAttrs(flat, { stride: patch });
    return node(windowOps.conv, bias ? [pictures, flat, bias] : [pictures, flat], attrs, w.scope);
  });
  if (!frames) return rearrange(cells, 'b c h w -> b (h w) c');
  return rearrange(cells, '(b f) c h w -> b (f h w) c', { f: x.shape[2] });
}

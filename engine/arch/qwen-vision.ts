/**
 * The eyes of Qwen2.5-VL: a picture's patches as tokens for its language model.
 *
 * Paper: Bai et al. 2025, "Qwen2.5-VL Technical Report". Keys are huggingface's, under `visual.`. Most layers attend
 * within windows of 8 x 8 patches, every eighth to the whole picture. In: patches [n, c*t*h*w]; out: rows
 * [n / 4, width] of four patches each. Sites: every `visual.blocks.i` {h}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { conv, linear, rmsNorm } from '../tensor/layers.ts';
import { add, attention, chunk, gather, gelu, mul, reshape, silu } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { rotateHalves } from './language-model.ts';

export interface QwenVisionInputs {
  /** [n, channels * frames * height * width of a patch], four neighbours one after the other. */
  readonly patches: Tensor;
  /** Angles of every patch's row and column, each [n, headSize / 2]. */
  readonly cos: Tensor;
  readonly sin: Tensor;
  /** The patches of each window [w, most], filled up with any. */
  readonly windows: Tensor;
  /** Added to the scores of the keys of a window [w, 1, 1, most]: 0, very negative where it is filled up. */
  readonly filling: Tensor;
  /** Where each patch lies in the windows, counted through [n]. */
  readonly places: Tensor;
}

export interface QwenVisionConfig {
  readonly width: number;
  readonly heads: number;
  readonly headSize: number;
}

/** The sizes of the eyes in a language model's file; undefined when it has none. */
export function detectQwenVision(w: Weights, heads: number): QwenVisionConfig | undefined {
  const key = 'visual.patch_embed.proj.weight';
  if (!w.has(key) || !w.has('visual.merger.ln_q')) return undefined; // Qwen3-VL's has other layers
  const [width] = w.shape(key);
  return { width, heads, headSize: width / heads };
}

const EVERY = 8;
const MERGED = 4;

/** Rows for the language model: [n / 4, width]. */
export function qwenVision(w: Weights, inputs: QwenVisionInputs, config: QwenVisionConfig): Tensor {
  const visual = w.at('visual');
  const embed = visual.at('patch_embed.proj');
  const [count] = inputs.patches.shape;
  const [, ...patch] = embed.shape('weight');
  const pixels = reshape(inputs.patches, [count, ...patch]); // [n, c, t, h, w]
  let h = reshape(conv(embed, pixels), [count, config.width]); // [n, c]
  for (let i = 0; i < visual.count('blocks'); i++) {
    const block = visual.at(`blocks.${i}`);
    const isWhole = i % EVERY === EVERY - 1;
    h = block.site({ h }, ({ h }) => visionBlock(block, h, inputs, { ...config, isWhole }));
  }
  const merger = visual.at('merger');
  const n = rmsNorm(merger.at('ln_q'), h);
  const four = reshape(n, [-1, MERGED * config.width]); // [n / 4, 4c]
  return linear(merger.at('mlp.2'), gelu(linear(merger.at('mlp.0'), four)));
}

interface BlockOptions extends QwenVisionConfig {
  readonly isWhole: boolean;
}

/** x [n, c]. */
function visionBlock(
  w: Weights,
  x: Tensor,
  inputs: QwenVisionInputs,
  options: BlockOptions,
): Tensor {
  const h = add(x, visionAttention(w.at('attn'), rmsNorm(w.at('norm1'), x), inputs, options));
  const mlp = w.at('mlp');
  const n = rmsNorm(w.at('norm2'), h);
  const inner = mul(silu(linear(mlp.at('gate_proj'), n)), linear(mlp.at('up_proj'), n)); // [n, ff]
  return add(h, linear(mlp.at('down_proj'), inner));
}

function visionAttention(
  w: Weights,
  x: Tensor,
  { cos, sin, windows, filling, places }: QwenVisionInputs,
  { width, heads, headSize, isWhole }: BlockOptions,
): Tensor {
  const [count] = x.shape;
  const [q, k, v] = chunk(linear(w.at('qkv'), x), 3, 1); // [n, c]
  const turned = [q, k].map((y) => {
    const inHeads = reshape(y, [1, count, heads, headSize]);
    return reshape(rotateHalves(inHeads, { cos, sin }), [count, width]);
  });
  const all = [...turned, v];
  if (isWhole) {
    const [q, k, v] = all.map((y) => reshape(y, [1, count, width]));
    return linear(w.at('proj'), reshape(attention(q, k, v, { heads }), [count, width]));
  }
  const [wq, wk, wv] = all.map((y) => gather(y, windows, 0)); // [w, most, c]
  const inWindows = reshape(attention(wq, wk, wv, { heads, mask: filling }), [-1, width]);
  return linear(w.at('proj'), gather(inWindows, places, 0)); // [n, c]
}

/**
 * Decoder-only language models as text encoders: Llama 3, Qwen 2.5 and 3, Mistral 3, Gemma 2 and 3.
 *
 * Papers: Touvron et al. 2023, "LLaMA"; Su et al. 2021, "RoFormer" (rotary positions); Ainslie et al. 2023,
 * "GQA"; Gemma Team 2024, "Gemma 2". Keys are huggingface's (`model.layers.*`); biases of q, k and v, norms of q
 * and k and norms behind a part are used where the file has them. In: token ids [b, t]; out: hidden [b, t, c],
 * several states side by side. Sites: every `model.layers.i` {h} and `model.norm` {h}.
 */
import { NoodleError } from '../errors.ts';
import type { Weights } from '../tensor/cursor.ts';
import { linear, rmsNorm } from '../tensor/layers.ts';
import {
  add,
  attention,
  concat,
  geluTanh,
  mul,
  plainRmsNorm,
  reshape,
  silu,
  slice,
  sub,
  unsqueeze,
} from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type TokenInputs, tokenRows } from './token-rows.ts';

/** What shapes do not tell of a kind of language model. */
export interface LanguageModelFacts {
  /** Numbers of one head, where no norm of q says it. */
  readonly headSize: number;
  readonly eps: number;
  /** Bases of the rotary positions, each with what its frequencies are divided by. */
  readonly rope: readonly { readonly theta: number; readonly scale?: number }[];
  /** Which of `rope` a layer has; left out: the first. */
  readonly ropeOf?: (layer: number) => number;
  readonly activation: 'silu' | 'geluTanh';
  /** Gemma: norms multiply by 1 + weight, and tokens by the root of the width. */
  readonly gemma?: boolean;
  /** Pairs of a head that turn with each of three positions (time, row, column) of a picture. */
  readonly ropeSections?: readonly number[];
}

export interface LanguageModelConfig {
  readonly width: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly headSize: number;
  /** Width of the first layer's keys: heads of k and v times their size. */
  readonly keys: number;
}

export interface LanguageModelInputs extends TokenInputs {
  /** By entry of `rope`: cosine and sine of every position's angles, each [t, headSize / 2]. */
  readonly turns: readonly { readonly cos: Tensor; readonly sin: Tensor }[];
  /** Added to the scores of every key [b, 1, 1, t]: 0 for text, very negative for padding. */
  readonly padding?: Tensor | undefined;
}

/**
 * Which states are wanted: that behind a layer (0 the first, -1 the last), not normed; `last`, normed;
 * `all`, those in front of every layer and the last normed [b, layers + 1, t, c]; or those in front of some
 * layers, side by side on channels.
 */
export type States = number | 'last' | 'all' | readonly number[];

/** The model's sizes when `w` stands on one, else undefined. */
export function detectLanguageModel(
  w: Weights,
  { headSize }: LanguageModelFacts,
): LanguageModelConfig | undefined {
  const layer = w.at('model.layers.0');
  if (!w.has('model.embed_tokens.weight') || !layer.has('self_attn.k_proj.weight'))
    return undefined;
  const [vocabulary, width] = w.shape('model.embed_tokens.weight');
  const norm = 'self_attn.q_norm.weight';
  return {
    width,
    layers: w.count('model.layers'),
    vocabulary,
    headSize: layer.has(norm) ? layer.shape(norm)[0] : headSize,
    keys: layer.shape('self_attn.k_proj.weight')[0],
  };
}

/** Hidden states [b, t, c] (several: see `States`). Throws BAD_INPUT where there are too few layers for them. */
export function languageModel(
  w: Weights,
  inputs: LanguageModelInputs,
  states: States,
  { facts, config }: { readonly facts: LanguageModelFacts; readonly config: LanguageModelConfig },
): Tensor {
  const model = w.at('model');
  const { layers } = config;
  const wanted = wantedStates(states, layers);
  if (wanted.some((passed) => passed < 0 || passed > layers)) {
    const most = Math.max(...wanted.map((passed) => (passed < 0 ? layers - passed : passed)));
    throw new NoodleError('BAD_INPUT', {
      subject: w.ledger.source.label,
      expected: `a language model of ${most} layers or more`,
      got: layers,
    });
  }
  let h = tokenRows(model.at('embed_tokens'), inputs); // [b, t, c]
  if (facts.gemma) h = mul(h, Math.sqrt(config.width));
  const { padding } = inputs;
  const found: Tensor[] = [];
  const last = Math.max(...wanted);
  for (let i = 0; i <= Math.min(last, layers); i++) {
    if (wanted.includes(i)) found.push(h);
    if (i === layers || i === last) break;
    const layer = model.at(`layers.${i}`);
    const turn = inputs.turns[facts.ropeOf?.(i) ?? 0];
    const options = { facts, config, turn, padding };
    h = layer.site({ h }, ({ h }) => decoderLayer(layer, h, options));
  }
  if (states === 'last' || states === 'all') {
    const end = model.at('norm');
    found[found.length - 1] = end.has('weight')
      ? end.site({ h }, ({ h }) => norm(end, h, facts))
      : h;
  }
  if (states === 'all')
    return concat(
      found.map((h) => unsqueeze(h, 1)),
      1,
    ); // [b, layers + 1, t, c]
  return found.length === 1 ? found[0] : concat(found, 2);
}

/** States by the number of layers they have passed. */
function wantedStates(states: States, layers: number): readonly number[] {
  if (states === 'last') return [layers];
  if (states === 'all') return Array.from({ length: layers + 1 }, (_, i) => i);
  if (typeof states === 'number') return [states < 0 ? layers + states + 1 : states + 1];
  return states;
}

interface LayerOptions {
  readonly facts: LanguageModelFacts;
  readonly config: LanguageModelConfig;
  readonly turn: LanguageModelInputs['turns'][number];
  readonly padding: Tensor | undefined;
}

/** x [b, t, c]: attention to what comes before, then a gated feed forward. */
function decoderLayer(w: Weights, x: Tensor, options: LayerOptions): Tensor {
  const { facts } = options;
  // Four norms (Gemma): before and behind each part. Two: the second stands before the feed forward.
  const four = w.has('pre_feedforward_layernorm');
  const behind = (name: string, y: Tensor): Tensor => (four ? norm(w.at(name), y, facts) : y);
  const attended = selfAttention(
    w.at('self_attn'),
    norm(w.at('input_layernorm'), x, facts),
    options,
  );
  const h = add(x, behind('post_attention_layernorm', attended));
  const before = four ? 'pre_feedforward_layernorm' : 'post_attention_layernorm';
  const mlp = w.at('mlp');
  const n = norm(w.at(before), h, facts);
  const activate = facts.activation === 'silu' ? silu : geluTanh;
  const inner = mul(activate(linear(mlp.at('gate_proj'), n)), linear(mlp.at('up_proj'), n)); // [b, t, ff]
  return add(h, behind('post_feedforward_layernorm', linear(mlp.at('down_proj'), inner)));
}

function selfAttention(w: Weights, x: Tensor, options: LayerOptions): Tensor {
  const { facts, config, turn, padding } = options;
  const { headSize } = config;
  const inHeads = (name: 'q' | 'k'): Tensor => {
    const y = linear(w.at(`${name}_proj`), x);
    const count = (y.shape[2] as number) / headSize;
    const heads = reshape(y, [...x.shape.slice(0, 2), count, headSize]); // [b, t, heads, d]
    const own = w.at(`${name}_norm`);
    const turned = rotateHalves(own.has('weight') ? norm(own, heads, facts) : heads, turn);
    return reshape(turned, y.shape);
  };
  const q = inHeads('q'); // [b, t, heads * d]
  const k = inHeads('k'); // [b, t, kvHeads * d]
  const v = linear(w.at('v_proj'), x);
  const heads = (q.shape[2] as number) / headSize;
  const kvHeads = (k.shape[2] as number) / headSize;
  const attended = attention(q, k, v, { heads, kvHeads, causal: true, mask: padding });
  return linear(w.at('o_proj'), attended);
}

/** x [b, t, heads, d] with its halves as the two sides of a plane, turned by the angles of its position. */
export function rotateHalves(
  x: Tensor,
  { cos, sin }: { readonly cos: Tensor; readonly sin: Tensor },
): Tensor {
  const half = (x.shape[3] as number) / 2;
  const [a, b] = [slice(x, 3, 0, half), slice(x, 3, half)];
  const [c, s] = [unsqueeze(cos, 1), unsqueeze(sin, 1)]; // [t, 1, d / 2]
  return concat([sub(mul(a, c), mul(b, s)), add(mul(b, c), mul(a, s))], 3);
}

function norm(w: Weights, x: Tensor, { eps, gemma }: LanguageModelFacts): Tensor {
  if (!gemma) return rmsNorm(w, x, { eps });
  return mul(plainRmsNorm(x, { eps }), add(w.param('weight'), 1));
}

/**
 * Cosine and sine of the angles of positions [t] (or of three [3][t], by the sections of a head), in single
 * precision as torch computes them: each [t, headSize / 2].
 */
export function ropeTables(
  positions: readonly ArrayLike<number>[],
  { headSize }: LanguageModelConfig,
  { theta, scale = 1 }: LanguageModelFacts['rope'][number],
  sections: readonly number[] = [headSize / 2],
): { readonly cos: Float32Array; readonly sin: Float32Array } {
  const half = headSize / 2;
  const length = positions[0].length;
  const axes = sections.flatMap((pairs, axis) =>
    new Array<number>(pairs).fill(positions.length > 1 ? axis : 0),
  );
  const cos = new Float32Array(length * half);
  const sin = new Float32Array(length * half);
  for (let i = 0; i < half; i++) {
    const power = Math.fround(theta ** Math.fround((2 * i) / headSize));
    const frequency = Math.fround(Math.fround(1 / power) / scale);
    for (let t = 0; t < length; t++) {
      const angle = Math.fround(frequency * positions[axes[i]][t]);
      cos[t * half + i] = Math.cos(angle);
      sin[t * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

/**
 * The text half of CLIP: the encoder of Stable Diffusion 1 (CLIP-L), 2 (OpenCLIP H) and XL (L and G).
 *
 * Paper: Radford et al. 2021, "Learning Transferable Visual Models From Natural Language
 * Supervision". Reference: `CLIPTextModel` of huggingface/transformers, whose key names
 * (`text_model.*`, `text_projection.weight`) the checkpoints carry under
 * `cond_stage_model.transformer.` and `conditioner.embedders.0.transformer.`; OpenCLIP names are
 * renamed by `weights/key-maps/open-clip.ts`. In: token ids [b, t]; out: hidden [b, t, c], pooled [b, c].
 * Sites: every `text_model.encoder.layers.i` and `text_model.final_layer_norm` {h}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { layerNorm, linear } from '../tensor/layers.ts';
import {
  add,
  attention,
  expand,
  gelu,
  geluTanh,
  matmul,
  quickGelu,
  squeeze,
  unsqueeze,
} from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type TokenInputs, tokenRows } from './token-rows.ts';

export interface ClipConfig {
  readonly width: number;
  readonly layers: number;
  /** Length of the position table: tokens of one chunk. */
  readonly positions: number;
  readonly vocabulary: number;
}

export interface ClipInputs extends TokenInputs {
  /** 1 at the first end token of every row, else 0: [b, 1, t]. */
  readonly end: Tensor;
  /** Added to the scores of every key [b, 1, 1, t]: 0 for text, very negative for padding. */
  readonly padding?: Tensor | undefined;
}

export interface ClipOptions {
  readonly activation: 'quickGelu' | 'gelu';
  /** Which block's output is returned: 0 is the first, -1 the last. */
  readonly layer: number;
  /** Whether the returned hidden state passes the final LayerNorm. */
  readonly finalNorm: boolean;
  /** Whether the pooled output is multiplied by `text_projection`. */
  readonly projected: boolean;
}

/** The encoder's sizes when `w` stands on a CLIP text model, else undefined. */
export function detectClip(w: Weights): ClipConfig | undefined {
  const embeddings = 'text_model.embeddings';
  if (!w.has(`${embeddings}.token_embedding.weight`)) return undefined;
  const [vocabulary, width] = w.shape(`${embeddings}.token_embedding.weight`);
  const [positions] = w.shape(`${embeddings}.position_embedding.weight`);
  return { width, layers: w.count('text_model.encoder.layers'), positions, vocabulary };
}

/** `hidden` [b, t, c]: the residual stream after one block; `pooled` [b, c]: the last, normed, at the end token. */
export function clipText(
  w: Weights,
  inputs: ClipInputs,
  options: ClipOptions,
): { hidden: Tensor; pooled: Tensor } {
  const model = w.at('text_model');
  const count = model.count('encoder.layers');
  const wanted = options.layer < 0 ? count + options.layer : options.layer;
  const norm = (h: Tensor) => {
    const last = model.at('final_layer_norm');
    return last.site({ h }, ({ h }) => layerNorm(last, h));
  };

  const { padding, tokens } = inputs;
  const [batch, length] = tokens.shape;
  const mask = padding && expand(padding, [batch, 1, length, length]); // [b, 1, t, t]

  // heads are 64 wide in every text model
  const heads = model.shape('final_layer_norm.weight')[0] / 64;
  const block = { heads, activation: options.activation, causal: true, mask };

  let h = embedTokens(model.at('embeddings'), inputs); // [b, t, c]
  let hidden = h;
  for (let i = 0; i < count; i++) {
    const layer = model.at(`encoder.layers.${i}`);
    h = layer.site({ h }, ({ h }) => clipBlock(layer, h, block));
    if (i === wanted) hidden = h;
  }
  const last = norm(h);
  const pooled = squeeze(matmul(inputs.end, last), 1); // [b, c]
  return {
    hidden: !options.finalNorm ? hidden : hidden === h ? last : norm(hidden),
    pooled: options.projected ? linear(w.at('text_projection'), pooled) : pooled,
  };
}

/** Token rows (or inserted vectors in their place) plus position rows. */
function embedTokens(w: Weights, inputs: ClipInputs): Tensor {
  const h = tokenRows(w.at('token_embedding'), inputs); // [b, t, c]
  return add(h, unsqueeze(w.at('position_embedding').param('weight'), 0)); // [b, t, c]
}

export interface ClipBlockOptions {
  readonly heads: number;
  readonly activation: 'quickGelu' | 'gelu' | 'geluTanh';
  /** Whether a token sees only those before it (text). */
  readonly causal?: boolean;
  /** Added to the scores [b, 1, t, t]. */
  readonly mask?: Tensor | undefined;
}

const activations = { quickGelu, gelu, geluTanh } as const;

/** CLIP's pre-norm transformer block, of text and of pictures alike: x [b, t, c]. */
export function clipBlock(w: Weights, x: Tensor, options: ClipBlockOptions): Tensor {
  const { heads, activation, causal = false, mask } = options;
  const n = layerNorm(w.at('layer_norm1'), x);
  const [q, k, v] = ['q_proj', 'k_proj', 'v_proj'].map((name) =>
    linear(w.at(`self_attn.${name}`), n),
  );
  const attended = attention(q, k, v, { heads, causal, mask }); // [b, t, c]
  const h = add(x, linear(w.at('self_attn.out_proj'), attended));
  const inner = linear(w.at('mlp.fc1'), layerNorm(w.at('layer_norm2'), h)); // [b, t, 4*c]
  return add(h, linear(w.at('mlp.fc2'), activations[activation](inner))); // [b, t, c]
}

/**
 * BERT's encoder, as HunyuanDiT uses a Chinese RoBERTa.
 *
 * Paper: Devlin et al. 2019, "BERT". Keys are huggingface's, under `bert.`. In: token ids [b, t]; out: hidden
 * [b, t, c]. Sites: every `bert.encoder.layer.i` {h}.
 */
import type { Weights } from '../tensor/cursor.ts';
import { layerNorm, linear } from '../tensor/layers.ts';
import { add, attention, gelu, slice } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type TokenInputs, tokenRows } from './token-rows.ts';

export interface BertConfig {
  readonly width: number;
  readonly layers: number;
  readonly vocabulary: number;
  /** Most tokens that there are positions for. */
  readonly positions: number;
}

export interface BertInputs extends TokenInputs {
  /** Added to the scores of every key [b, 1, 1, t]: 0 for text, very negative for padding. */
  readonly padding?: Tensor | undefined;
}

const HEAD = 64;
const EPS = 1e-12;

/** The encoder's sizes when `w` stands on one, else undefined. */
export function detectBert(w: Weights): BertConfig | undefined {
  const embeddings = w.at('bert.embeddings');
  if (!embeddings.has('word_embeddings.weight')) return undefined;
  const [positions, width] = embeddings.shape('position_embeddings.weight');
  const [vocabulary] = embeddings.shape('word_embeddings.weight');
  return { width, layers: w.count('bert.encoder.layer'), vocabulary, positions };
}

/** Hidden states behind layer `layer` (0 the first, -1 the last): [b, t, c]. */
export function bert(w: Weights, inputs: BertInputs, layer = -1): Tensor {
  const model = w.at('bert');
  const count = model.count('encoder.layer');
  const wanted = layer < 0 ? count + layer : layer;
  let h = embedTokens(model.at('embeddings'), inputs); // [b, t, c]
  for (let i = 0; i <= wanted; i++) {
    const at = model.at(`encoder.layer.${i}`);
    h = at.site({ h }, ({ h }) => bertLayer(at, h, inputs.padding));
  }
  return h;
}

/** Token rows plus positions plus the row of the first kind of sentence, normed. */
function embedTokens(w: Weights, inputs: BertInputs): Tensor {
  const h = tokenRows(w.at('word_embeddings'), inputs); // [b, t, c]
  const positions = slice(w.at('position_embeddings').param('weight'), 0, 0, h.shape[1]); // [t, c]
  const sentence = slice(w.at('token_type_embeddings').param('weight'), 0, 0, 1); // [1, c]
  return layerNorm(w.at('LayerNorm'), add(add(h, positions), sentence), { eps: EPS });
}

/** x [b, t, c]: norms stand behind the sums. */
function bertLayer(w: Weights, x: Tensor, padding: Tensor | undefined): Tensor {
  const own = w.at('attention.self');
  const [q, k, v] = ['query', 'key', 'value'].map((name) => linear(own.at(name), x)); // [b, t, c]
  const heads = (x.shape[2] as number) / HEAD;
  const h = summed(w.at('attention.output'), attention(q, k, v, { heads, mask: padding }), x);
  const inner = gelu(linear(w.at('intermediate.dense'), h)); // [b, t, 4c]
  return summed(w.at('output'), inner, h);
}

const summed = (w: Weights, y: Tensor, x: Tensor): Tensor =>
  layerNorm(w.at('LayerNorm'), add(linear(w.at('dense'), y), x), { eps: EPS });

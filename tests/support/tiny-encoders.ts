/**
 * Text encoders under their real names and with the sizes that a kind is told by, all else small: shapes to
 * fill with random numbers. Vocabularies for them are those of tests/fixtures/tokenizers.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Shapes = Readonly<Record<string, readonly number[]>>;

/** Tokens of CLIP. */
const CLIP_TOKENS = 49408;
/** Tokens of Qwen, with the special ones. */
export const QWEN_TOKENS = 151669;
/** Tokens of Llama 3. */
export const LLAMA_TOKENS = 128260;
/** More than the vocabularies of tests/fixtures/tokenizers have. */
export const FEW_TOKENS = 512;

const linear = (name: string, out: number, into: number): Shapes => ({
  [`${name}.weight`]: [out, into],
  [`${name}.bias`]: [out],
});

const repeat = (count: number, part: (i: number) => Shapes): Shapes =>
  Object.assign({}, ...Array.from({ length: count }, (_, i) => part(i))) as Shapes;

/** A CLIP; how many layers it has tells which one it is (12, 24, 32). Heads are 64 wide. */
export function clip({ width = 64, layers = 2 } = {}): Shapes {
  const norm = (name: string): Shapes => ({
    [`${name}.weight`]: [width],
    [`${name}.bias`]: [width],
  });
  return {
    'text_model.embeddings.token_embedding.weight': [CLIP_TOKENS, width],
    'text_model.embeddings.position_embedding.weight': [77, width],
    ...repeat(layers, (i) => {
      const layer = `text_model.encoder.layers.${i}`;
      const parts = ['q', 'k', 'v', 'out'].map((n) =>
        linear(`${layer}.self_attn.${n}_proj`, width, width),
      );
      return {
        ...(Object.assign({}, ...parts) as Shapes),
        ...norm(`${layer}.layer_norm1`),
        ...norm(`${layer}.layer_norm2`),
        ...linear(`${layer}.mlp.fc1`, 2 * width, width),
        ...linear(`${layer}.mlp.fc2`, width, 2 * width),
      };
    }),
    ...norm('text_model.final_layer_norm'),
    'text_projection.weight': [width, width],
  };
}

interface T5Sizes {
  readonly width?: number;
  readonly tokens?: number;
  /** T5 1.1 and later have two layers before the last. */
  readonly gated?: boolean;
  /** Of 64 each. */
  readonly heads?: number;
  /** UMT5 and Pile-T5 have a table of positions in every block. */
  readonly tables?: 'first' | 'every';
}

/** A T5 of two blocks. */
export function t5({
  width = 128,
  tokens = FEW_TOKENS,
  heads = 2,
  gated = true,
  tables = 'first',
}: T5Sizes = {}): Shapes {
  const inner = 64 * heads;
  return {
    'shared.weight': [tokens, width],
    ...repeat(2, (i) => {
      const attention = `encoder.block.${i}.layer.0.SelfAttention`;
      const dense = `encoder.block.${i}.layer.1.DenseReluDense`;
      const into = gated ? ['wi_0', 'wi_1'] : ['wi'];
      return {
        [`${attention}.q.weight`]: [inner, width],
        [`${attention}.k.weight`]: [inner, width],
        [`${attention}.v.weight`]: [inner, width],
        [`${attention}.o.weight`]: [width, inner],
        ...(i === 0 || tables === 'every'
          ? { [`${attention}.relative_attention_bias.weight`]: [32, heads] }
          : {}),
        [`encoder.block.${i}.layer.0.layer_norm.weight`]: [width],
        ...Object.fromEntries(into.map((name) => [`${dense}.${name}.weight`, [width, width]])),
        [`${dense}.wo.weight`]: [width, width],
        [`encoder.block.${i}.layer.1.layer_norm.weight`]: [width],
      };
    }),
    'encoder.final_layer_norm.weight': [width],
  };
}

/** HunyuanDiT's BERT. Heads are 64 wide. */
export function bert({ width = 64 } = {}): Shapes {
  const embeddings = 'bert.embeddings';
  const layer = 'bert.encoder.layer.0';
  const norm = (name: string): Shapes => ({
    [`${name}.LayerNorm.weight`]: [width],
    [`${name}.LayerNorm.bias`]: [width],
  });
  return {
    [`${embeddings}.word_embeddings.weight`]: [FEW_TOKENS, width],
    [`${embeddings}.position_embeddings.weight`]: [512, width],
    [`${embeddings}.token_type_embeddings.weight`]: [2, width],
    ...norm(embeddings),
    ...linear(`${layer}.attention.self.query`, width, width),
    ...linear(`${layer}.attention.self.key`, width, width),
    ...linear(`${layer}.attention.self.value`, width, width),
    ...linear(`${layer}.attention.output.dense`, width, width),
    ...norm(`${layer}.attention.output`),
    ...linear(`${layer}.intermediate.dense`, 2 * width, width),
    ...linear(`${layer}.output.dense`, width, 2 * width),
    ...norm(`${layer}.output`),
  };
}

interface LanguageModelSizes {
  readonly width: number;
  readonly tokens: number;
  readonly layers?: number;
  readonly head?: number;
  /** Heads of queries, keys and values alike. */
  readonly heads?: number;
  /** Qwen 2.5 has biases at q, k and v. */
  readonly biased?: boolean;
  /** Qwen 3 norms q and k. */
  readonly normed?: boolean;
  /** Gemma has norms behind its parts too. */
  readonly fourNorms?: boolean;
}

/** A decoder-only language model. */
export function languageModel(sizes: LanguageModelSizes): Shapes {
  const { width, tokens, layers = 1, head = 128, heads = 1, biased, normed, fourNorms } = sizes;
  const inner = head * heads;
  return {
    'model.embed_tokens.weight': [tokens, width],
    ...repeat(layers, (i) => {
      const layer = `model.layers.${i}`;
      const norms = [
        'input',
        'post_attention',
        ...(fourNorms ? ['pre_feedforward', 'post_feedforward'] : []),
      ];
      const own = ['q', 'k', 'v'].map((name) => `${layer}.self_attn.${name}`);
      return {
        ...Object.fromEntries(norms.map((name) => [`${layer}.${name}_layernorm.weight`, [width]])),
        ...Object.fromEntries(own.map((name) => [`${name}_proj.weight`, [inner, width]])),
        ...(biased ? Object.fromEntries(own.map((name) => [`${name}_proj.bias`, [inner]])) : {}),
        ...(normed
          ? Object.fromEntries(own.slice(0, 2).map((name) => [`${name}_norm.weight`, [head]]))
          : {}),
        [`${layer}.self_attn.o_proj.weight`]: [width, inner],
        [`${layer}.mlp.gate_proj.weight`]: [2 * width, width],
        [`${layer}.mlp.up_proj.weight`]: [2 * width, width],
        [`${layer}.mlp.down_proj.weight`]: [width, 2 * width],
      };
    }),
    'model.norm.weight': [width],
  };
}

/** The eyes of Qwen2.5-VL in front of a language model of this width; sixteen heads. */
export function qwenEyes(width: number): Shapes {
  const eyes = 64;
  const block = 'visual.blocks.0';
  return {
    'visual.patch_embed.proj.weight': [eyes, 3, 2, 14, 14],
    [`${block}.norm1.weight`]: [eyes],
    [`${block}.norm2.weight`]: [eyes],
    ...linear(`${block}.attn.qkv`, 3 * eyes, eyes),
    ...linear(`${block}.attn.proj`, eyes, eyes),
    ...linear(`${block}.mlp.gate_proj`, 16, eyes),
    ...linear(`${block}.mlp.up_proj`, 16, eyes),
    ...linear(`${block}.mlp.down_proj`, eyes, 16),
    'visual.merger.ln_q.weight': [eyes],
    ...linear('visual.merger.mlp.0', 4 * eyes, 4 * eyes),
    ...linear('visual.merger.mlp.2', width, 4 * eyes),
  };
}

const tokenizers = join(import.meta.dirname, '../fixtures/tokenizers');

/** A SentencePiece model, as some encoders' files carry it in a tensor. */
export const spieceModel = (): Uint8Array => readFileSync(join(tokenizers, 'bpe.model'));

/** Mistral's vocabulary, as its file carries it in a tensor: single bytes. */
export function tekkenModel(): Uint8Array {
  const vocab = Array.from({ length: 256 }, (_, rank) => ({
    rank,
    token_bytes: Buffer.of(rank).toString('base64'),
  }));
  const config = { default_num_special_tokens: 20, default_vocab_size: 300 };
  return Buffer.from(JSON.stringify({ config, vocab, special_tokens: [] }));
}

/** Small vocabularies by the folder they are looked for in: fixtures under the names of real files. */
const vocabularies: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  t5: { 'tokenizer.json': 'unigram.json' },
  'pile-t5': { 'tokenizer.model': 'unigram.model' },
  qwen: { 'vocab.json': 'vocab.json', 'merges.txt': 'merges.txt' },
  llama3: { 'tokenizer.json': 'byte-level.json' },
};

/** BERT's: special words, then letters. */
const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...'abcdefghijklmnopqrstuvwxyz'];

/** Puts small vocabularies of every kind into the folder of text encoders. */
export function placeVocabularies(textEncoders: string): void {
  for (const [folder, files] of Object.entries(vocabularies)) {
    mkdirSync(join(textEncoders, folder), { recursive: true });
    for (const [name, fixture] of Object.entries(files)) {
      copyFileSync(join(tokenizers, fixture), join(textEncoders, folder, name));
    }
  }
  mkdirSync(join(textEncoders, 'chinese-bert'), { recursive: true });
  writeFileSync(join(textEncoders, 'chinese-bert/vocab.txt'), words.join('\n'));
}

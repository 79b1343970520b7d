/**
 * Text encoders as llama.cpp names their tensors, under huggingface's names. What an architecture calls its
 * parts is a row; files of other architectures (diffusion models) have the original names already.
 */
import type { WeightEntry, WeightSource } from '../source.ts';

/** Names by their beginnings after the block's number. */
interface Names {
  /** How a block's path begins: there, and here. */
  readonly block: readonly [theirs: string, ours: string];
  readonly inBlock: Readonly<Record<string, string>>;
  readonly outer: Readonly<Record<string, string>>;
  /** Rows of q and k lie as `interleavedRows` says. */
  readonly isInterleaved?: boolean;
}

const t5: Names = {
  block: ['enc.blk.', 'encoder.block.'],
  inBlock: {
    attn_q: 'layer.0.SelfAttention.q',
    attn_k: 'layer.0.SelfAttention.k',
    attn_v: 'layer.0.SelfAttention.v',
    attn_o: 'layer.0.SelfAttention.o',
    attn_rel_b: 'layer.0.SelfAttention.relative_attention_bias',
    attn_norm: 'layer.0.layer_norm',
    ffn_gate: 'layer.1.DenseReluDense.wi_0',
    ffn_up: 'layer.1.DenseReluDense.wi_1',
    ffn_down: 'layer.1.DenseReluDense.wo',
    ffn_norm: 'layer.1.layer_norm',
  },
  outer: { token_embd: 'shared', 'enc.output_norm': 'encoder.final_layer_norm' },
};

const languageModel: Names = {
  block: ['blk.', 'model.layers.'],
  inBlock: {
    attn_q: 'self_attn.q_proj',
    attn_k: 'self_attn.k_proj',
    attn_v: 'self_attn.v_proj',
    attn_output: 'self_attn.o_proj',
    attn_norm: 'input_layernorm',
    attn_q_norm: 'self_attn.q_norm',
    attn_k_norm: 'self_attn.k_norm',
    ffn_gate: 'mlp.gate_proj',
    ffn_up: 'mlp.up_proj',
    ffn_down: 'mlp.down_proj',
    ffn_norm: 'post_attention_layernorm',
  },
  outer: { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' },
};

/** Rows by `general.architecture`. */
const architectures: Readonly<Record<string, Names>> = {
  t5,
  t5encoder: t5,
  llama: { ...languageModel, isInterleaved: true },
  qwen2vl: languageModel,
  qwen2: languageModel,
  qwen3: languageModel,
};

/** The file with its tensors under huggingface's names, where it is a text encoder; itself otherwise. */
export function fromGgufNames<S extends WeightSource>(source: S): S {
  const { metadata = {} } = source;
  const architecture = metadata['general.architecture'] ?? '';
  if (!Object.hasOwn(architectures, architecture)) return source;
  const names = architectures[architecture];
  const heads = (key: string): number | undefined =>
    Number(metadata[`${architecture}.attention.${key}`]) || undefined;
  const q = heads('head_count');
  const counts = { attn_q: q, attn_k: heads('head_count_kv') ?? q };
  const tensors = new Map<string, WeightEntry>();
  for (const [key, entry] of source.tensors) {
    const part = Object.entries(counts).find(([name]) => key.includes(`.${name}.`));
    const inHeads = names.isInterleaved ? part?.[1] : undefined;
    tensors.set(
      renamed(key, names),
      inHeads === undefined ? entry : { ...entry, interleaved: inHeads },
    );
  }
  return { ...source, tensors };
}

function renamed(key: string, { block: [theirs, ours], inBlock, outer }: Names): string {
  const dot = key.lastIndexOf('.');
  const [path, leaf] = [key.slice(0, dot), key.slice(dot)];
  if (!path.startsWith(theirs)) return Object.hasOwn(outer, path) ? outer[path] + leaf : key;
  const [number, ...rest] = path.slice(theirs.length).split('.');
  const name = rest.join('.');
  return Object.hasOwn(inBlock, name) ? `${ours}${number}.${inBlock[name]}${leaf}` : key;
}

/** Hunyuan's transformers as Tencent releases them, under the names of ComfyUI's files, which are mostly Flux's. */
import { type WeightSource, rename } from '../source.ts';

const mark = 'time_in.mlp.0.weight';
const refiner = 'txt_in.individual_token_refiner.blocks.0.norm1.weight';

/** In this order: [their part of a key, ours]. */
const parts: readonly (readonly [RegExp, string])[] = [
  [/^txt_in\.c_embedder\.linear_1\./, 'txt_in.c_embedder.in_layer.'],
  [/^txt_in\.c_embedder\.linear_2\./, 'txt_in.c_embedder.out_layer.'],
  [/^((?:txt_in\.t_embedder|\w+_in))\.mlp\.0\./, '$1.in_layer.'],
  [/^((?:txt_in\.t_embedder|\w+_in))\.mlp\.2\./, '$1.out_layer.'],
  [/_mod\.linear\./, '_mod.lin.'],
  [/\.modulation\.linear\./, '.modulation.lin.'],
  [/_attn_(qkv|proj)\./, '_attn.$1.'],
  [/mlp\.fc1\./, 'mlp.0.'],
  [/mlp\.fc2\./, 'mlp.2.'],
  [/_attn_q_norm\.weight$/, '_attn.norm.query_norm.scale'],
  [/_attn_k_norm\.weight$/, '_attn.norm.key_norm.scale'],
  [/\.q_norm\.weight$/, '.norm.query_norm.scale'],
  [/\.k_norm\.weight$/, '.norm.key_norm.scale'],
];

/** A source (its prefix removed) as it is, or under our names where it is Tencent's. */
export function fromTencentNames(source: WeightSource): WeightSource {
  if (!source.tensors.has(mark) || !source.tensors.has(refiner)) return source;
  return rename(source, ourKey, { tag: 'tencent' });
}

const ourKey = (key: string): string =>
  parts.reduce((name, [theirs, ours]) => name.replace(theirs, ours), key);

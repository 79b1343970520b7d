/** A HunyuanDiT 1.1 of four blocks: its keys, and small widths. */
import { hunyuanDit } from '../../engine/arch/families/hunyuan-dit.ts';
import { detectHunyuanDit } from '../../engine/arch/hunyuan-dit.ts';
import { openWeights } from '../../engine/tensor/cursor.ts';
import { type Program, trace } from '../../engine/tensor/trace.ts';
import type { WeightSource } from '../../engine/weights/source.ts';
import { type Shapes, dense, joined, norm } from './tiny-layers.ts';

const width = 16;
const head = 8;
const text = 6;
const second = 8;
const pooled = 10;
/** Tokens of both texts that padding is learned for. */
const lengths = [3, 4];
const sizes = 6 * 256;

const block = (i: number): Shapes => {
  const at = `blocks.${i}`;
  return joined([
    dense(`${at}.attn1.Wqkv`, 3 * width, width),
    dense(`${at}.attn2.q_proj`, width, width),
    dense(`${at}.attn2.kv_proj`, 2 * width, text),
    ...['attn1', 'attn2'].flatMap((name) => [
      norm(`${at}.${name}.q_norm`, head),
      norm(`${at}.${name}.k_norm`, head),
      dense(`${at}.${name}.out_proj`, width, width),
    ]),
    ...['norm1', 'norm2', 'norm3'].map((name) => norm(`${at}.${name}`, width)),
    dense(`${at}.default_modulation.1`, width, width),
    dense(`${at}.mlp.fc1`, 2 * width, width),
    dense(`${at}.mlp.fc2`, width, 2 * width),
    ...(i > 2
      ? [norm(`${at}.skip_norm`, 2 * width), dense(`${at}.skip_linear`, width, 2 * width)]
      : []),
  ]);
};

export const hunyuanDitShapes: Shapes = {
  text_embedding_padding: [lengths[0] + lengths[1], text],
  ...dense('mlp_t5.0', 4 * second, second),
  ...dense('mlp_t5.2', text, 4 * second),
  'pooler.positional_embedding': [lengths[1] + 1, second],
  ...joined(['q_proj', 'k_proj', 'v_proj'].map((name) => dense(`pooler.${name}`, second, second))),
  ...dense('pooler.c_proj', pooled, second),
  'style_embedder.weight': [1, width],
  'x_embedder.proj.weight': [width, 4, 2, 2],
  'x_embedder.proj.bias': [width],
  ...dense('t_embedder.mlp.0', width, 256),
  ...dense('t_embedder.mlp.2', width, width),
  ...dense('extra_embedder.0', 4 * width, pooled + sizes + width),
  ...dense('extra_embedder.2', width, 4 * width),
  ...joined([0, 1, 2, 3].map(block)),
  ...dense('final_layer.adaLN_modulation.1', 2 * width, width),
  ...dense('final_layer.linear', 32, width),
};

/** The network on these weights. */
export function tinyHunyuanDit(source: WeightSource): Program {
  const config = detectHunyuanDit(openWeights(source))!;
  return trace('hunyuan-dit', source, (g) => hunyuanDit.network(g, config, new Set()));
}

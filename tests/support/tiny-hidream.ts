/** A HiDream of one double and one single block: its keys, and small widths. */
import { hiDream } from '../../engine/arch/families/hidream.ts';
import { detectHiDream } from '../../engine/arch/hidream.ts';
import { openWeights } from '../../engine/tensor/cursor.ts';
import { type Program, trace } from '../../engine/tensor/trace.ts';
import type { WeightSource } from '../../engine/weights/source.ts';
import { type Shapes, dense, joined } from './tiny-layers.ts';

const width = 16;
const inner = 8;

const feed = (at: string): Shapes => ({
  [`${at}.w1.weight`]: [inner, width],
  [`${at}.w2.weight`]: [width, inner],
  [`${at}.w3.weight`]: [inner, width],
});

const attention = (at: string, end: string): Shapes => ({
  ...joined(
    ['to_q', 'to_k', 'to_v', 'to_out'].map((name) => dense(`${at}.${name}${end}`, width, width)),
  ),
  [`${at}.q_rms_norm${end}.weight`]: [width],
  [`${at}.k_rms_norm${end}.weight`]: [width],
});

const block = (at: string, ends: readonly string[]): Shapes => ({
  ...dense(`${at}.adaLN_modulation.1`, 6 * ends.length * width, width),
  ...joined(ends.map((end) => attention(`${at}.attn1`, end))),
  [`${at}.ff_i.gate.weight`]: [4, width],
  ...feed(`${at}.ff_i.shared_experts`),
  ...joined([0, 1, 2, 3].map((i) => feed(`${at}.ff_i.experts.${i}`))),
  ...(ends.length > 1 ? feed(`${at}.ff_t`) : {}),
});

export const hidreamShapes: Shapes = {
  ...dense('t_embedder.timestep_embedder.linear_1', width, 256),
  ...dense('t_embedder.timestep_embedder.linear_2', width, width),
  ...dense('p_embedder.pooled_embedder.linear_1', width, 6),
  ...dense('p_embedder.pooled_embedder.linear_2', width, width),
  ...dense('x_embedder.proj', width, 8),
  'caption_projection.0.linear.weight': [width, 5],
  'caption_projection.1.linear.weight': [width, 5],
  'caption_projection.2.linear.weight': [width, 7],
  ...block('double_stream_blocks.0.block', ['', '_t']),
  ...block('single_stream_blocks.0.block', ['']),
  ...dense('final_layer.adaLN_modulation.1', 2 * width, width),
  ...dense('final_layer.linear', 8, width),
};

/** The network on these weights, told what `given` names. */
export function tinyHiDream(source: WeightSource, given: ReadonlySet<string> = new Set()): Program {
  const config = { ...detectHiDream(openWeights(source))!, heads: 2, axes: [4, 2, 2] };
  return trace('hidream', source, (g) => hiDream.network(g, config, given));
}

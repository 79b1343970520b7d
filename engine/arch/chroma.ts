/**
 * Chroma: Flux whose modulations come from one small network for all blocks, which also stands for the
 * vectors of time and pooled text.
 *
 * Source: lodestone-rock's Chroma1, whose key names released files carry (`distilled_guidance_layer`).
 * In: x [b, c, h, w], timesteps [b] (sigma), context [b, t, width], guidance [b]; out: [b, out, h, w].
 * Sites: as Flux; `vec` is the table of modulations [b, 344, c].
 */
import type { Weights } from '../tensor/cursor.ts';
import { linear, rmsNorm } from '../tensor/layers.ts';
import { add, cast, concat, expand, mul, range, silu, slice, unsqueeze } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type FluxConfig, type Modulators, detectTransformer, fluxTransformer } from './flux.ts';
import type { Modulation } from './modulation.ts';
import { sinusoidalEmbedding } from './timestep-embedding.ts';

/** Rows of the table, whatever a file has of blocks: 38 single ones, 19 double ones, the last layer. */
const rows = 344;
/** Numbers (times, guidances, row numbers) are told in thousandths. */
const thousand = 1000;
/** Widths of the sinusoidal embeddings of times and guidances, and of row numbers. */
const widths = { number: 16, row: 32 };

/** The sizes of a Chroma under `w`, or undefined. */
export const detectChroma = (w: Weights): FluxConfig | undefined =>
  w.has('distilled_guidance_layer.norms.0.scale') ? detectTransformer(w) : undefined;

export interface ChromaInputs {
  readonly x: Tensor;
  readonly timesteps: Tensor;
  readonly context: Tensor;
  readonly guidance: Tensor;
}

/** Predicts the flow from picture to noise: the raw output of the network, [b, out, h, w]. */
export function chroma(w: Weights, inputs: ChromaInputs, config: FluxConfig): Tensor {
  return fluxTransformer(w, inputs, config, {
    ...chromaModulators(w),
    vec: (timesteps) => modulationTable(w, { ...inputs, timesteps }),
  });
}

/** Blocks read their modulations from the table: the single ones, the pictures' of the double ones, the texts'. */
export function chromaModulators(w: Weights): Modulators {
  const [doubles, singles] = [w.count('double_blocks'), w.count('single_blocks')];
  const row = (table: Tensor, i: number): Tensor => slice(table, 1, i, i + 1); // [b, 1, c]
  const modulation = (table: Tensor, i: number): Modulation => ({
    shift: row(table, i),
    scale: row(table, i + 1),
    gate: row(table, i + 2),
  });
  const pair = (table: Tensor, i: number) => [modulation(table, i), modulation(table, i + 3)];
  return {
    single: (table, i) => modulation(table, 3 * i),
    double: (table, i) => ({
      img: pair(table, 3 * singles + 6 * i),
      txt: pair(table, 3 * singles + 6 * doubles + 6 * i),
    }),
    last: (table) => ({ shift: row(table, rows - 2), scale: row(table, rows - 1) }),
  };
}

/** Row i is what the approximator makes of time, guidance and i: [b, 344, c]. */
export function modulationTable(
  network: Weights,
  { timesteps, guidance }: Pick<ChromaInputs, 'timesteps' | 'guidance'>,
): Tensor {
  const w = network.at('distilled_guidance_layer');
  const embedded = (numbers: Tensor, width: number): Tensor =>
    sinusoidalEmbedding(mul(numbers, thousand), width);
  const [batch] = timesteps.shape;
  const told = concat(
    [timesteps, guidance].map((x) => embedded(x, widths.number)),
    1,
  );
  const numbers = embedded(cast(range(rows), 'f32'), widths.row);
  const ofAll = expand(unsqueeze(told, 1), [batch, rows, 2 * widths.number]);
  const ofEach = expand(unsqueeze(numbers, 0), [batch, rows, widths.row]);
  let h = linear(w.at('in_proj'), concat([ofAll, ofEach], -1));
  for (let i = 0; i < w.count('layers'); i++) {
    const layer = w.at(`layers.${i}`);
    const inner = silu(linear(layer.at('in_layer'), rmsNorm(w.at(`norms.${i}`), h)));
    h = add(h, linear(layer.at('out_layer'), inner));
  }
  return linear(w.at('out_proj'), h);
}

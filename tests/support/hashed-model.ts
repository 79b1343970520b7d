/** Small diffusion models of hashed weights (hashed-weights.ts), and one call of them. */
import { families } from '../../engine/arch/families/index.ts';
import { type NDArray, nd } from '../../engine/array/nd.ts';
import type { Runtime } from '../../engine/runtime/runtime.ts';
import type { ConditioningEntry } from '../../engine/sampling/conditioning.ts';
import { diffusionModelOf } from '../../engine/values/load-checkpoint.ts';
import { type Model, diffusion } from '../../engine/values/model.ts';
import { type Shapes, hashedSource, unitNumbers } from './hashed-weights.ts';
import { runMemory } from './run-memory.ts';

export interface HashedCase {
  /** Tells the numbers of its inputs from those of other cases. */
  readonly name: string;
  /** Shapes of the model's weights. */
  readonly main: Shapes;
  /** Shape of the noisy latent. */
  readonly x: readonly number[];
  /** Width of the pooled text. */
  readonly pooled: number;
  readonly sigma: number;
}

/** Numbers about 0 of a case's input. */
export const hashedArray = (
  name: string,
  shape: readonly number[],
  factor: number,
  shift = 0,
): NDArray =>
  nd(
    unitNumbers(name, shape).map((u) => u * factor + shift),
    shape,
  );

export const hashedModel = ({ main }: HashedCase): Promise<Model> =>
  diffusionModelOf(hashedSource('main.', main), families);

const tokens = 5;
const textWidth = 20;

/** The case's text, with the guidance that models are told which can be. */
export const hashedEntry = ({ name, x: [rows], pooled }: HashedCase): ConditioningEntry => ({
  cross: hashedArray(`${name}.context`, [rows, tokens, textWidth], 2),
  pooled: hashedArray(`${name}.pooled`, [rows, pooled], 2),
  extra: { guidance: 3.5 },
});

/** The raw output of the network for the case's latent. */
export async function predictHashed(
  model: Model,
  { name, x: shape, sigma }: HashedCase,
  entry: ConditioningEntry,
  runtime: Runtime,
): Promise<NDArray> {
  const x = hashedArray(`${name}.x`, shape, 4);
  const network = diffusion(model, { runtime });
  const conditions = await network.encodeConditioning(entry, { latentShape: shape, noise: x });
  const [rows] = shape;
  const inRows = (value: NDArray): NDArray =>
    value.shape[0] === rows ? value : nd(new Float32Array(rows).fill(value.data[0]), [rows]);
  return network.apply({
    x,
    timesteps: new Float32Array(rows).fill(network.modelSampling.timestep(sigma)),
    cond: Object.fromEntries(
      Object.entries(conditions).map(([key, { value }]) => [key, inRows(value)]),
    ),
    sigma,
    parts: [{ list: 0, entry }],
    run: runMemory(),
  });
}

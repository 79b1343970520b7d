/**
 * All that a run is at the end of a step, in one file that is there whole or not at all: who goes on from it does what
 * would have been done, bit for bit.
 */
import { existsSync } from 'node:fs';
import { NoodleError } from '../../errors.ts';
import type { TorchGeneratorState } from '../../sampling/noise/torch-generator.ts';
import { writeFileAtomic } from '../../store/write.ts';
import { readBytesSync } from '../../weights/read.ts';
import { openSafetensors } from '../../weights/safetensors.ts';
import { type TensorToWrite, encodeSafetensors } from '../../weights/write.ts';
import type { DataPosition } from '../data/order.ts';
import type { OptimizerState } from '../optimizers/optimizer.ts';

export interface RunState {
  /** Loop steps done. */
  readonly step: number;
  /** The `start_step` of the job that was obeyed. */
  readonly startStep?: number | undefined;
  /** What the generators began with. */
  readonly seed: number;
  /** The trained numbers, in fp32. */
  readonly values: Float32Array;
  /** Their average, where the job has one. */
  readonly average?: Float32Array | undefined;
  /** Gradients that no step of the optimiser has used yet. */
  readonly gradient?: Float32Array | undefined;
  readonly optimizer: OptimizerState;
  /** Of the pictures, and of regularisation sets. */
  readonly positions: readonly DataPosition[];
  readonly generator: TorchGeneratorState;
  readonly list: readonly number[];
  /** Loop steps since the optimiser's last. */
  readonly pending: number;
  /** Steps in a row whose loss was no finite number. */
  readonly skipped: number;
}

/** Tells a run's state from one of other parts. */
const FORMAT = 'noodle-training-state-1';
const OPTIMIZER = 'optimizer.';

/** Writes a state. Errors of the file system pass through; what was there stays then. */
export function writeState(path: string, layout: string, state: RunState): void {
  const { values, average, gradient, optimizer, ...rest } = state;
  const vectors: [string, Float32Array | Uint8Array | undefined][] = [
    ['values', values],
    ['average', average],
    ['gradient', gradient],
    ...Object.entries(optimizer.vectors).map(
      ([name, vector]) => [OPTIMIZER + name, vector] as [string, Float32Array | Uint8Array],
    ),
  ];
  const tensors = new Map<string, TensorToWrite & { readonly bytes: Uint8Array }>();
  for (const [name, vector] of vectors) if (vector) tensors.set(name, tensorOf(vector));
  const told = JSON.stringify({ ...rest, numbers: optimizer.numbers });
  writeFileAtomic(path, encodeSafetensors(tensors, { format: FORMAT, layout, state: told }));
}

const tensorOf = (vector: Float32Array | Uint8Array) => ({
  dtype: vector instanceof Uint8Array ? ('U8' as const) : ('F32' as const),
  shape: [vector.length],
  bytes: new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
});

/**
 * Reads a state; undefined where there is none, or one of a network with other parts. Throws SAFETENSORS_HEADER or
 * BAD_INPUT for what is no state.
 */
export async function readState(path: string, layout: string): Promise<RunState | undefined> {
  if (!existsSync(path)) return undefined;
  const file = await openSafetensors(path);
  if (file.metadata.format !== FORMAT) {
    const expected = `a state of the format ${FORMAT}`;
    throw new NoodleError('BAD_INPUT', { subject: path, expected, got: file.metadata.format });
  }
  if (file.metadata.layout !== layout) return undefined;
  const vectors = new Map<string, Float32Array | Uint8Array>();
  for (const [name, entry] of file.tensors) {
    const bytes = readBytesSync(entry);
    vectors.set(name, entry.dtype === 'U8' ? bytes : new Float32Array(bytes.buffer));
  }
  const { numbers, ...rest } = JSON.parse(file.metadata.state) as Omit<RunState, 'optimizer'> & {
    readonly numbers: OptimizerState['numbers'];
  };
  const own = [...vectors].filter(([name]) => name.startsWith(OPTIMIZER));
  return {
    ...rest,
    values: vectors.get('values') as Float32Array,
    average: vectors.get('average') as Float32Array | undefined,
    gradient: vectors.get('gradient') as Float32Array | undefined,
    optimizer: {
      numbers,
      vectors: Object.fromEntries(own.map(([name, v]) => [name.slice(OPTIMIZER.length), v])),
    },
  };
}

/** What every optimiser is: a change of all trained numbers from their gradient, and what it remembers for it. */
import { NoodleError } from '../../errors.ts';
import type { Parameter, ParameterLayout } from '../parameters.ts';
import type { Settings } from '../settings.ts';

/** What an optimiser remembers: all of a checkpoint's optimiser part. */
export interface OptimizerState {
  readonly vectors: Readonly<Record<string, Float32Array | Uint8Array>>;
  readonly numbers: Readonly<Record<string, number>>;
}

export interface Optimizer {
  /** Changes `values` by one step along `gradient`, each tensor at its own learning rate. */
  step(values: Float32Array, gradient: Float32Array, rate: (parameter: Parameter) => number): void;
  /** Its state, for saving: a view, not a copy. */
  state(): OptimizerState;
  /** Goes on from a saved state; throws BAD_INPUT when it does not fit, and is then as before. */
  restore(saved: OptimizerState): void;
}

export interface OptimizerKind<S extends Settings = Settings> {
  /** torch's, or those of its paper's package. */
  readonly defaults: S;
  /** For complete settings; `initial` holds the trained numbers before the first step. */
  create(layout: ParameterLayout, settings: S, initial: Float32Array): Optimizer;
}

/**
 * Copies the vectors of a saved state into those of an optimiser's own and returns its numbers. Throws BAD_INPUT
 * when the two do not have the same parts of the same sizes.
 */
export function takeState<N extends string>(
  own: {
    readonly vectors: OptimizerState['vectors'];
    readonly numbers: Readonly<Record<N, number>>;
  },
  saved: OptimizerState,
): Record<N, number> {
  const refuse = (part: string, expected: unknown, got: unknown): NoodleError =>
    new NoodleError('BAD_INPUT', { subject: `optimiser state: ${part}`, expected, got });
  for (const part of ['vectors', 'numbers'] as const) {
    const [expected, got] = [own[part], saved[part]].map((of) => Object.keys(of).sort());
    if (expected.join() !== got.join()) throw refuse(part, expected, got);
  }
  for (const [name, vector] of Object.entries(own.vectors)) {
    const [expected, got] = [vector, saved.vectors[name]].map(
      (of) => `${of.length} ${of instanceof Uint8Array ? '8-bit codes' : 'fp32 numbers'}`,
    );
    if (expected !== got) throw refuse(name, expected, got);
  }
  for (const [name, value] of Object.entries(saved.numbers)) {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw refuse(name, 'a number', value);
  }
  for (const [name, vector] of Object.entries(own.vectors)) vector.set(saved.vectors[name]);
  return saved.numbers as Record<N, number>;
}

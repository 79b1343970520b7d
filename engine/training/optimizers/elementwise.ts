/** Optimisers that treat every number alike: a rule for one, and where the moments that it needs are kept. */
import { type Parameter, type ParameterLayout, numbersOf } from '../parameters.ts';
import type { Settings } from '../settings.ts';
import { type OptimizerKind, type OptimizerState, takeState } from './optimizer.ts';

/** What a rule remembers of each trained number. */
export interface Moment {
  readonly name: string;
  /** Whether it may be negative. */
  readonly signed: boolean;
  /** What it starts from; 0 when left out. */
  readonly start?: number;
}

export interface Rule<S extends Settings = Settings> {
  readonly defaults: S;
  moments(settings: S): readonly Moment[];
  /** Step t (1, 2 …) for some of a tensor's numbers: all arrays are of one length. */
  step(
    settings: S,
    at: { readonly t: number; readonly rate: number },
    values: Float32Array,
    gradient: Float32Array,
    moments: readonly Float32Array[],
  ): void;
}

/** The moments of all trained numbers. */
export interface Memory {
  readonly vectors: OptimizerState['vectors'];
  /** Runs through a tensor piece by piece; what `run` leaves in a piece's moments is kept. */
  pieces(
    parameter: Parameter,
    run: (from: number, to: number, moments: readonly Float32Array[]) => void,
  ): void;
}

export type Keep = (layout: ParameterLayout, moments: readonly Moment[]) => Memory;

/** Moments as they are, in fp32: a tensor is one piece. */
export const inFloats: Keep = (layout, moments) => {
  const vectors = moments.map(({ start = 0 }) => new Float32Array(layout.size).fill(start));
  return {
    vectors: Object.fromEntries(moments.map(({ name }, i) => [name, vectors[i]])),
    pieces(parameter, run) {
      const { offset, size } = parameter;
      run(
        offset,
        offset + size,
        vectors.map((vector) => numbersOf(vector, parameter)),
      );
    },
  };
};

/** The optimiser of a rule. */
export const elementwise = <S extends Settings>(
  rule: Rule<S>,
  keep: Keep = inFloats,
): OptimizerKind<S> => ({
  defaults: rule.defaults,
  create(layout, settings) {
    const memory = keep(layout, rule.moments(settings));
    const { vectors } = memory;
    const numbers = { step: 0 };
    return {
      step(values, gradient, rate) {
        numbers.step++;
        for (const parameter of layout.list) {
          const at = { t: numbers.step, rate: rate(parameter) };
          memory.pieces(parameter, (from, to, moments) => {
            rule.step(
              settings,
              at,
              values.subarray(from, to),
              gradient.subarray(from, to),
              moments,
            );
          });
        }
      },
      state: () => ({ vectors, numbers: { ...numbers } }),
      restore(saved) {
        Object.assign(numbers, takeState({ vectors, numbers }, saved));
      },
    };
  },
});

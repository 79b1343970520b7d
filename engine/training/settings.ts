/** Settings by name, as job files and nodes give them, over the defaults of what they set. */
import { NoodleError } from '../errors.ts';

/** A list has as many numbers as the default's; null stands for "not set". */
export type Setting = number | boolean | null | readonly number[];
export type Settings = Readonly<Record<string, Setting>>;

interface Limit {
  readonly expected: string;
  readonly holds: (value: number) => boolean;
}

const finite: Limit = { expected: 'a number', holds: Number.isFinite };
const notNegative: Limit = {
  expected: 'a number of 0 or more',
  holds: (value) => value >= 0 && value < Infinity,
};
const positive: Limit = {
  expected: 'a number above 0',
  holds: (value) => value > 0 && value < Infinity,
};
const share: Limit = {
  expected: 'a number from 0 to below 1',
  holds: (value) => value >= 0 && value < 1,
};
const count: Limit = {
  expected: 'a whole number above 0',
  holds: (value) => Number.isSafeInteger(value) && value > 0,
};

/** What the numbers of a name must be, whatever has them; those of other names need only be finite. */
const limits: Readonly<Record<string, Limit>> = {
  alpha: notNegative,
  beta1: share,
  beta3: share,
  betas: share,
  clip_threshold: positive,
  d0: positive,
  d_coef: positive,
  eps: notNegative,
  eta_min: notNegative,
  growth_rate: { expected: 'a number of 1 or more', holds: (value) => value >= 1 },
  initial_accumulator_value: notNegative,
  lr_decay: notNegative,
  lr_end: notNegative,
  max_iterations: count,
  momentum: notNegative,
  num_training_steps: count,
  num_warmup_steps: {
    expected: 'a whole number of 0 or more',
    holds: (value) => Number.isSafeInteger(value) && value >= 0,
  },
  step_size: count,
  T_0: count,
  T_max: count,
  T_mult: count,
  total_iters: count,
  weight_decay: notNegative,
};

/**
 * The given settings over the defaults. Throws BAD_INPUT for a name that the defaults lack, and for a value that
 * is not of their kind or beyond the limits of its name.
 */
export function settled<S extends Settings>(subject: string, defaults: S, given: Settings): S {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) {
      const expected = `one of the settings ${Object.keys(defaults).join(', ') || '(it has none)'}`;
      throw new NoodleError('BAD_INPUT', { subject, expected, got: name });
    }
    const wrong = expectedInstead(defaults[name], value, limits[name] ?? finite);
    if (wrong !== undefined) {
      throw new NoodleError('BAD_INPUT', {
        subject: `${subject}: ${name}`,
        expected: wrong,
        got: value,
      });
    }
  }
  return { ...defaults, ...given };
}

/** What is expected in the value's place; undefined when it may stay. */
function expectedInstead(like: Setting, value: unknown, limit: Limit): string | undefined {
  const holds = (number: unknown): boolean => typeof number === 'number' && limit.holds(number);
  if (typeof like === 'boolean') return typeof value === 'boolean' ? undefined : 'true or false';
  if (typeof like === 'number') return holds(value) ? undefined : limit.expected;
  if (like === null) {
    return value === null || holds(value) ? undefined : `${limit.expected}, or null`;
  }
  const fits = Array.isArray(value) && value.length === like.length && value.every(holds);
  return fits ? undefined : `a list of ${like.length}, each ${limit.expected}`;
}

/**
 * Learning rates over the steps. Those of torch and, where a number of warm-up steps is set, those of diffusers and
 * sd-scripts: a rise from 0 and then a curve.
 */
import { NoodleError } from '../errors.ts';
import { type Settings, settled } from './settings.ts';

/** The rate of step t (0, 1 …) for a tensor whose own rate is `rate`. */
export type Schedule = (t: number, rate: number) => number;

interface ScheduleKind<S extends Settings = Settings> {
  readonly defaults: (steps: number) => S;
  make(settings: S): Schedule;
}

/** Nothing but the types of a row's settings, which the table does not hold. */
const kind = <S extends Settings>(
  defaults: (steps: number) => S,
  make: (settings: S) => Schedule,
): ScheduleKind<S> => ({ defaults, make });

/** torch's half cosine from the rate (at 0) to `end` (at 1), and back again beyond. */
const halfCosine = (part: number, rate: number, end: number): number =>
  end + ((rate - end) * (1 + Math.cos(Math.PI * part))) / 2;

/** torch's schedulers, as the trainer of job files makes them: they are over after the last step. */
const curves: Readonly<Record<string, ScheduleKind>> = {
  constant: kind(
    (steps) => ({ factor: 1, total_iters: steps }),
    ({ factor, total_iters }) =>
      (t, rate) =>
        t < total_iters ? rate * factor : rate,
  ),
  linear: kind(
    (steps) => ({ start_factor: 1 / 3, end_factor: 1, total_iters: steps }),
    ({ start_factor: from, end_factor: to, total_iters }) =>
      (t, rate) =>
        rate * (from + ((to - from) * Math.min(t, total_iters)) / total_iters),
  ),
  cosine: kind(
    (steps) => ({ T_max: steps, eta_min: 0 }),
    ({ T_max, eta_min }) =>
      (t, rate) =>
        halfCosine(t / T_max, rate, eta_min),
  ),
  cosine_with_restarts: kind(
    (steps) => ({ T_0: steps, T_mult: 1, eta_min: 0 }),
    ({ T_0, T_mult, eta_min }) =>
      (t, rate) => {
        let [since, length] = T_mult === 1 ? [t % T_0, T_0] : [t, T_0];
        for (; since >= length; length *= T_mult) since -= length;
        return halfCosine(since / length, rate, eta_min);
      },
  ),
  step: kind(
    () => ({ step_size: null as number | null, gamma: 0.1 }),
    ({ step_size, gamma }) => {
      if (step_size === null) {
        const subject = 'lr_scheduler step: step_size';
        throw new NoodleError('BAD_INPUT', { subject, expected: 'a number of steps', got: null });
      }
      return (t, rate) => rate * gamma ** Math.floor(t / step_size);
    },
  ),
};

/** A rise from 0 over the first steps, then a curve over the part of the others that is done. */
const risen =
  (
    {
      num_warmup_steps: rise,
      num_training_steps: steps,
    }: Readonly<Record<'num_warmup_steps' | 'num_training_steps', number>>,
    curve: (part: number, rate: number) => number,
  ): Schedule =>
  (t, rate) =>
    t < rise ? (rate * t) / rise : curve((t - rise) / Math.max(1, steps - rise), rate);

const rise = (steps: number) => ({ num_warmup_steps: 0, num_training_steps: steps });

const steady = (settings: ReturnType<typeof rise>): Schedule => risen(settings, (_, rate) => rate);

/** Those with a warm-up. */
const warmed: Readonly<Record<string, ScheduleKind>> = {
  constant: kind(rise, steady),
  constant_with_warmup: kind((steps) => ({ ...rise(steps), num_warmup_steps: 1000 }), steady),
  linear: kind(rise, (settings) => risen(settings, (part, rate) => rate * Math.max(0, 1 - part))),
  cosine: kind(
    (steps) => ({ ...rise(steps), num_cycles: 0.5 }),
    ({ num_cycles, ...settings }) =>
      risen(settings, (part, rate) => halfCosine(2 * num_cycles * part, rate, 0)),
  ),
  cosine_with_restarts: kind(
    (steps) => ({ ...rise(steps), num_cycles: 1 }),
    ({ num_cycles, ...settings }) =>
      risen(settings, (part, rate) =>
        part >= 1 ? 0 : halfCosine((num_cycles * part) % 1, rate, 0),
      ),
  ),
  polynomial: kind(
    (steps) => ({ ...rise(steps), lr_end: 1e-7, power: 1 }),
    ({ lr_end, power, ...settings }) =>
      risen(settings, (part, rate) =>
        part >= 1 ? lr_end : lr_end + (rate - lr_end) * (1 - part) ** power,
      ),
  ),
};

/**
 * The schedule of a name over so many steps, with settings other than its defaults; `max_iterations` among them
 * stands for the steps. A warmed one where `num_warmup_steps` is given or torch has none of the name. Throws
 * UNSUPPORTED for names that neither has, and BAD_INPUT for settings that it does not have or cannot be.
 */
export function scheduleOf(name: string, given: Settings, steps: number): Schedule {
  const isWarmed = 'num_warmup_steps' in given || !Object.hasOwn(curves, name);
  const table = isWarmed && Object.hasOwn(warmed, name) ? warmed : curves;
  if (!Object.hasOwn(table, name)) {
    throw new NoodleError('UNSUPPORTED', {
      what:
        'Scheduler must be cosine, cosine_with_restarts, step, linear or constant ' +
        `(or constant_with_warmup or polynomial), got '${name}'`,
    });
  }
  const { max_iterations, ...settings } = given;
  const subject = `lr_scheduler ${name}`;
  const length = max_iterations === undefined ? { max_iterations: steps } : { max_iterations };
  const { max_iterations: iterations } = settled(subject, { max_iterations: steps }, length);
  const row = table[name];
  return row.make(settled(subject, row.defaults(iterations), settings));
}

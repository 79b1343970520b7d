/**
 * The times that a step may be trained at, most noise first, in 0..1000: what `timestep_type` of a job file
 * names. Rebuilt for every batch, since some are drawn.
 */
import { linspace, linspace64 } from '../../array/linspace.ts';
import { NoodleError } from '../../errors.ts';
import type { TorchGenerator } from '../../sampling/noise/torch-generator.ts';
import { type FlowShift, muOf, shiftTime, shiftTimeByMu } from './shift.ts';

const f = Math.fround;

export interface TableTools {
  /** Entries of the table. */
  readonly count: number;
  readonly generator: TorchGenerator;
  readonly shift: FlowShift;
  /** Tokens that a picture of the batch is for the network. */
  readonly tokens: number;
}

type Table = (tools: TableTools) => Float32Array;

/** Timesteps of a DDPM schedule of 1000, evenly left out where the table is shorter; BAD_INPUT for a longer one. */
export function ddpmTable(count: number): Float32Array {
  const step = Math.floor(1000 / count);
  if (step < 1) {
    const subject = 'num_train_timesteps of a DDPM schedule';
    throw new NoodleError('BAD_INPUT', { subject, expected: 'at most 1000', got: count });
  }
  return Float32Array.from({ length: count }, (_, i) => (count - 1 - i) * step);
}

const linear: Table = ({ count }) => Float32Array.from(linspace(1000, 1, count));

/** Logistic of normals: around the middle. */
const sigmoid: Table = ({ count, generator }) =>
  generator
    .randn([count])
    .data.map((n) => f(1 - f(1 / f(1 + f(Math.exp(-n))))) * 1000)
    .sort()
    .reverse();

/** Three quarters log-normal, one quarter even, in whole numbers. */
const lognormBlend: Table = ({ count, generator }) => {
  const drawn = generator
    .randn([Math.trunc(count * 0.75)])
    .data.map((n) => Math.exp(f(n * f(0.333))));
  const top = drawn.reduce((a, b) => Math.max(a, b));
  const times = drawn.map((value) => f(1 - f(value / top)) * 1000);
  const even = linspace(1000, 1, Math.trunc(count * 0.25));
  return Float32Array.from([...times, ...even])
    .sort()
    .reverse()
    .map(Math.trunc);
};

/** A family's shift; a fixed one counts twice, for it has shifted the ends of the table before. */
const shifted: Table = ({ count, shift, tokens }) => {
  const [move, lowest] =
    'dynamic' in shift
      ? [(t: number) => shiftTimeByMu(muOf(shift.dynamic, tokens), t), f(0.001)]
      : [(t: number) => shiftTime(shift.shift, t), f(shiftTime(shift.shift, f(0.001)))];
  const times = linspace64(1000, lowest * 1000, count);
  return Float32Array.from(times, (t) => f(move(t / 1000)) * 1000);
};

export const timestepTables = {
  linear,
  weighted: linear,
  sigmoid,
  lognorm_blend: lognormBlend,
  shift: shifted,
  flux_shift: shifted,
  lumina2_shift: shifted,
  next_sample: shifted,
  one_step: linear,
  two_step: linear,
  four_step: linear,
  eight_step: linear,
} as const satisfies Readonly<Record<string, Table>>;

export type TimestepType = keyof typeof timestepTables;

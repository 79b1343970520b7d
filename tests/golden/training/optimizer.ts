/** Golden part `training/optimizer`: 20 steps of each optimiser on a linear problem; tables of learning rates. */
import { join } from 'node:path';
import type { NDArray } from '../../../engine/array/nd.ts';
import { clipGradient } from '../../../engine/training/clip.ts';
import { averageDefaults, updateAverage } from '../../../engine/training/ema.ts';
import { createOptimizer } from '../../../engine/training/optimizers/index.ts';
import { layOut, numbersOf } from '../../../engine/training/parameters.ts';
import { type Schedule, scheduleOf } from '../../../engine/training/schedules.ts';
import { type CaseResult, type Comparison, compare } from '../area.ts';
import { type GoldenCase, openCase } from '../open-case.ts';

interface RunCase {
  readonly params: {
    readonly optimizer: string;
    readonly steps: number;
    readonly lr: number | null;
    /** Those of W, b and s that are trained; all of them when left out. */
    readonly trained?: readonly string[];
    readonly accum?: number;
    readonly clip?: number;
    readonly ema?: number;
    readonly warmup?: number;
  };
}

interface TableCase {
  readonly base_lr: number;
  readonly rows: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
}

export async function run(dir: string, name: string): Promise<CaseResult> {
  const golden = await openCase<RunCase | TableCase>(join(dir, `${name}.safetensors`));
  return {
    comparisons: isTable(golden) ? tables(golden) : trajectory(golden as GoldenCase<RunCase>),
  };
}

const isTable = (golden: GoldenCase<RunCase | TableCase>): golden is GoldenCase<TableCase> =>
  'rows' in golden.params;

/** Names of lengths in the tables, by the settings of ours. */
const lengths: Readonly<Record<string, string>> = {
  warmup: 'num_warmup_steps',
  total: 'num_training_steps',
};

function tables(golden: GoldenCase<TableCase>): Comparison[] {
  return Object.entries(golden.params.rows).map(([row, { name, lr_scheduler, ...rest }]) => {
    const settings = Object.fromEntries(
      Object.entries(rest).map(([key, value]) => [lengths[key] ?? key, fraction(value)]),
    );
    const expected = golden.numbers(`out.${row}`);
    const schedule = scheduleOf(String(name ?? lr_scheduler), settings, expected.data.length - 1);
    const data = expected.data.map((_, t) => schedule(t, golden.params.base_lr));
    return compare(row, { data, shape: expected.shape }, expected, golden.tolerance);
  });
}

/** A number, or a text such as `1/3`. */
function fraction(value: string | number): number {
  const [over, under = 1] = String(value).split('/').map(Number);
  return over / under;
}

function trajectory({ params: { params }, ...golden }: GoldenCase<RunCase>): Comparison[] {
  const { optimizer: kind, steps, lr, trained, accum, clip, ema, warmup, ...settings } = params;
  const { layout, values, evaluate } = linearProblem(golden.array, trained ?? ['W', 'b', 's']);
  const optimizer = createOptimizer(kind, layout, settings, values);
  const schedule: Schedule =
    warmup === undefined
      ? (_, rate) => rate
      : scheduleOf('cosine', { num_warmup_steps: warmup }, steps);
  const average = values.slice();
  const series: Record<string, number[]> = {};
  const record = (name: string, numbers: Iterable<number>): void => {
    (series[`out.${name}`] ??= []).push(...numbers);
  };
  for (let t = 0; t < steps; t++) {
    const { loss, gradient } = evaluate(accum ?? 1);
    const norm = clipGradient(gradient, clip ?? Infinity);
    const rate = schedule(t, lr ?? 0);
    optimizer.step(values, gradient, () => rate);
    updateAverage(average, values, { ...averageDefaults, ema_decay: ema ?? 0.999 });
    const { d } = optimizer.state().numbers;
    for (const [name, number] of Object.entries({ loss, grad_norm: norm, lr: rate, d })) {
      record(name, [number]);
    }
    for (const parameter of layout.list) {
      record(parameter.name, numbersOf(values, parameter));
      record(`grad.${parameter.name}`, numbersOf(gradient, parameter));
      record(`ema.${parameter.name}`, numbersOf(average, parameter));
    }
  }
  return golden.names
    .filter((name) => name.startsWith('out.'))
    .map((name) => {
      const expected = golden.numbers(name);
      return compare(
        name,
        { data: series[name], shape: expected.shape },
        expected,
        golden.tolerance,
      );
    });
}

/** The mean square of s·X·Wᵀ + b - Y, and its gradient for those that are trained. */
function linearProblem(input: (name: string) => NDArray, trained: readonly string[]) {
  const layout = layOut(trained.map((name) => [name, input(`in.${name}`).shape]));
  const values = Float32Array.from(trained.flatMap((name) => [...input(`in.${name}`).data]));
  const parameters = new Map(layout.list.map((parameter) => [parameter.name, parameter]));
  const now = (name: string): Float32Array => {
    const parameter = parameters.get(name);
    return parameter ? numbersOf(values, parameter) : input(`in.${name}`).data;
  };
  const { data: x, shape: xShape } = input('in.X');
  const { data: y, shape: yShape } = input('in.Y');
  const [rows, inputs] = xShape;
  const outputs = yShape[1];

  /** The rows in so many micro-batches: their mean losses are averaged, their gradients summed. */
  const evaluate = (batches: number): { loss: number; gradient: Float32Array } => {
    const [W, b, s] = ['W', 'b', 's'].map(now);
    const sums: Record<string, number[]> = {
      W: Array<number>(W.length).fill(0),
      b: Array<number>(b.length).fill(0),
      s: [0],
    };
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      for (let out = 0; out < outputs; out++) {
        let product = 0;
        for (let i = 0; i < inputs; i++) product += x[row * inputs + i] * W[out * inputs + i];
        const error = product * s[0] + b[out] - y[row * outputs + out];
        loss += error ** 2 / (rows * outputs);
        const slope = (2 * error * batches) / (rows * outputs);
        for (let i = 0; i < inputs; i++) {
          sums.W[out * inputs + i] += slope * s[0] * x[row * inputs + i];
        }
        sums.b[out] += slope;
        sums.s[0] += slope * product;
      }
    }
    return { loss, gradient: Float32Array.from(layout.list.flatMap(({ name }) => sums[name])) };
  };
  return { layout, values, evaluate };
}

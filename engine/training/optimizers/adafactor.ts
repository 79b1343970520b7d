/**
 * Adafactor (Shazeer & Stern 2018): of a matrix's squared gradients only the means of rows and of columns are
 * remembered. Tensors of more axes are stacks of matrices; those of fewer are remembered whole.
 */
import { NoodleError } from '../../errors.ts';
import { layOut, numbersOf } from '../parameters.ts';
import { type OptimizerKind, takeState } from './optimizer.ts';

const defaults = {
  /** What is added to squares, and the least size that a tensor counts as for `scale_parameter`. */
  eps: [1e-30, 1e-3],
  clip_threshold: 1,
  decay_rate: -0.8,
  beta1: null as number | null,
  weight_decay: 0,
  scale_parameter: true,
  /** Steps of the paper's own sizes: the learning rate is not looked at. */
  relative_step: true,
  warmup_init: false,
};

type Shape = readonly number[];

/** The shapes of a tensor's averages of squares; of those that it does not have nothing is kept. */
const averages = (shape: Shape): Record<'row' | 'column' | 'whole', Shape> =>
  shape.length < 2
    ? { row: [0], column: [0], whole: shape }
    : { row: shape.slice(0, -1), column: [...shape.slice(0, -2), shape.at(-1)!], whole: [0] };

/** Takes a tensor's gradient into its averages of squares, and writes it over their root. */
type Scaling = (gradient: Float32Array, decay: number, into: Float32Array) => void;

export const adafactor: OptimizerKind<typeof defaults> = {
  defaults,
  create(layout, settings) {
    const { eps, clip_threshold, decay_rate, weight_decay } = settings;
    const { scale_parameter, relative_step, warmup_init } = settings;
    if (warmup_init && !relative_step) {
      const subject = 'adafactor: warmup_init';
      throw new NoodleError('BAD_INPUT', {
        subject,
        expected: 'relative_step: true',
        got: 'false',
      });
    }
    const [row, column, whole] = (['row', 'column', 'whole'] as const).map((part) =>
      layOut(layout.list.map(({ name, shape }) => [name, averages(shape)[part]])),
    );
    const vectors = {
      exp_avg_sq_row: new Float32Array(row.size),
      exp_avg_sq_col: new Float32Array(column.size),
      exp_avg_sq: new Float32Array(whole.size),
      ...(settings.beta1 === null ? {} : { exp_avg: new Float32Array(layout.size) }),
    };
    const beta1 = settings.beta1 ?? 0;
    const scalings = layout.list.map(({ shape }, i) =>
      shape.length < 2
        ? wholeScaling(numbersOf(vectors.exp_avg_sq, whole.list[i]), eps[0])
        : matrixScaling(
            numbersOf(vectors.exp_avg_sq_row, row.list[i]),
            numbersOf(vectors.exp_avg_sq_col, column.list[i]),
            { rows: shape.at(-2)!, columns: shape.at(-1)!, eps: eps[0] },
          ),
    );
    const scratch = new Float32Array(Math.max(0, ...layout.list.map(({ size }) => size)));
    const numbers = { step: 0 };
    const relativeSize = (): number =>
      Math.min(warmup_init ? 1e-6 * numbers.step : 1e-2, 1 / Math.sqrt(numbers.step));
    return {
      step(all, gradient, rate) {
        numbers.step++;
        for (const [i, parameter] of layout.list.entries()) {
          const values = numbersOf(all, parameter);
          const change = scratch.subarray(0, parameter.size);
          scalings[i](numbersOf(gradient, parameter), 1 - numbers.step ** decay_rate, change);
          const size =
            (relative_step ? relativeSize() : rate(parameter)) *
            (scale_parameter ? Math.max(eps[1], rms(values)) : 1);
          const factor = size / Math.max(1, rms(change) / clip_threshold);
          const mean = vectors.exp_avg && numbersOf(vectors.exp_avg, parameter);
          const kept = 1 - weight_decay * size;
          for (let k = 0; k < values.length; k++) {
            let step = change[k] * factor;
            if (mean) step = mean[k] = beta1 * mean[k] + (1 - beta1) * step;
            values[k] = values[k] * kept - step;
          }
        }
      },
      state: () => ({ vectors, numbers: { ...numbers } }),
      restore(saved) {
        Object.assign(numbers, takeState({ vectors, numbers }, saved));
      },
    };
  },
};

/** Averages of every square. */
const wholeScaling =
  (squares: Float32Array, eps: number): Scaling =>
  (gradient, decay, into) => {
    for (let i = 0; i < gradient.length; i++) {
      squares[i] = decay * squares[i] + (1 - decay) * (gradient[i] ** 2 + eps);
      into[i] = gradient[i] / Math.sqrt(squares[i]);
    }
  };

/** Averages of the mean squares of each row and each column: their product over the mean of all is a square. */
const matrixScaling =
  (
    rowMeans: Float32Array,
    columnMeans: Float32Array,
    { rows, columns, eps }: { rows: number; columns: number; eps: number },
  ): Scaling =>
  (gradient, decay, into) => {
    const matrices = gradient.length / (rows * columns);
    for (let m = 0; m < matrices; m++) {
      const row = rowMeans.subarray(m * rows, (m + 1) * rows);
      const column = columnMeans.subarray(m * columns, (m + 1) * columns);
      const sums = new Float64Array(columns);
      let mean = 0;
      for (let r = 0, i = m * rows * columns; r < rows; r++) {
        let sum = 0;
        for (let c = 0; c < columns; c++, i++) {
          const square = gradient[i] ** 2 + eps;
          sum += square;
          sums[c] += square;
        }
        row[r] = decay * row[r] + ((1 - decay) * sum) / columns;
        mean += row[r] / rows;
      }
      for (let c = 0; c < columns; c++) {
        column[c] = decay * column[c] + ((1 - decay) * sums[c]) / rows;
      }
      for (let r = 0, i = m * rows * columns; r < rows; r++) {
        for (let c = 0; c < columns; c++, i++) {
          into[i] = gradient[i] / Math.sqrt((row[r] / mean) * column[c]);
        }
      }
    }
  };

/** The root of the mean square. */
function rms(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}

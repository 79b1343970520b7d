/**
 * Prodigy (Mishchenko & Defazio 2023): Adam with an estimate d of the distance to the solution as its step size,
 * which only grows. The learning rate is a factor of it, 1 as a rule.
 */
import { NoodleError } from '../../errors.ts';
import type { Parameter } from '../parameters.ts';
import { type OptimizerKind, takeState } from './optimizer.ts';

const defaults = {
  betas: [0.9, 0.999],
  /** The decay of d's own averages; null: the root of the second of `betas`. */
  beta3: null as number | null,
  eps: 1e-8,
  weight_decay: 0,
  /** Whether the decay shrinks the values themselves, as in AdamW, or joins the gradient. */
  decouple: true,
  use_bias_correction: false,
  /** Keeps the warm-up of a schedule out of the estimate's denominator. */
  safeguard_warmup: false,
  d0: 1e-6,
  d_coef: 1,
  /** How many times larger d may get in a step. */
  growth_rate: Infinity,
};

export const prodigy: OptimizerKind<typeof defaults> = {
  defaults,
  create(layout, settings, initial) {
    const { betas, eps, weight_decay, decouple, d0, d_coef, growth_rate } = settings;
    const [b1, b2] = betas;
    const b3 = settings.beta3 ?? Math.sqrt(b2);
    const l2 = decouple ? 0 : weight_decay;
    const [m, v, s] = [0, 1, 2].map(() => new Float32Array(layout.size));
    const p0 = initial.slice();
    const vectors = { exp_avg: m, exp_avg_sq: v, s, p0 };
    const numbers = { step: 0, d: d0, d_max: d0, d_numerator: 0 };

    /** Takes a tensor's gradient into the averages; what that adds to d's numerator and denominator. */
    const take = (
      { offset, size }: Parameter,
      values: Float32Array,
      gradient: Float32Array,
      dlr: number,
    ): readonly [numerator: number, denominator: number] => {
      const { d } = numbers;
      const weight = (d / d0) * (settings.safeguard_warmup ? d : dlr);
      let product = 0;
      let total = 0;
      for (let i = offset; i < offset + size; i++) {
        const g = gradient[i] + l2 * values[i];
        product += g * Math.fround(p0[i] - values[i]);
        m[i] = b1 * m[i] + d * (1 - b1) * g;
        v[i] = b2 * v[i] + d * d * (1 - b2) * g * g;
        s[i] = b3 * s[i] + weight * g;
        total += Math.abs(s[i]);
      }
      return [(d / d0) * dlr * product, total];
    };

    return {
      step(values, gradient, rate) {
        const moving = layout.list.filter((parameter) => rate(parameter) !== 0);
        const lr = rateOf(moving.map(rate));
        const correction = settings.use_bias_correction
          ? Math.sqrt(1 - b2 ** (numbers.step + 1)) / (1 - b1 ** (numbers.step + 1))
          : 1;
        const dlr = numbers.d * lr * correction;
        let numerator = b3 * numbers.d_numerator;
        let denominator = 0;
        for (const parameter of moving) {
          const [above, below] = take(parameter, values, gradient, dlr);
          numerator += above;
          denominator += below;
        }
        if (denominator === 0) return; // nothing to learn from yet
        const estimate = (d_coef * numerator) / denominator;
        const d = numbers.d === d0 ? Math.max(d0, estimate) : numbers.d;
        numbers.d_max = Math.max(numbers.d_max, estimate);
        numbers.d = Math.min(numbers.d_max, d * growth_rate);
        numbers.d_numerator = numerator;
        numbers.step++;
        const kept = decouple ? 1 - weight_decay * dlr : 1;
        const floor = numbers.d * eps;
        for (const { offset, size } of moving) {
          for (let i = offset; i < offset + size; i++) {
            values[i] = values[i] * kept - (dlr * m[i]) / (Math.sqrt(v[i]) + floor);
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

/** The one learning rate of all that move: d is an estimate for all of them together. */
function rateOf(rates: readonly number[]): number {
  const different = new Set(rates);
  if (different.size > 1) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'prodigy: learning rates',
      expected: 'the same for all tensors, or 0 for those that stay',
      got: [...different],
    });
  }
  return rates[0] ?? 0;
}

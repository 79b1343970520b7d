/** Adagrad (Duchi et al. 2011). */
import type { Rule } from './elementwise.ts';

const defaults = { lr_decay: 0, weight_decay: 0, initial_accumulator_value: 0, eps: 1e-10 };

export const adagrad: Rule<typeof defaults> = {
  defaults,
  moments: ({ initial_accumulator_value: start }) => [{ name: 'sum', signed: false, start }],
  step({ lr_decay, weight_decay, eps }, { t, rate }, values, gradient, [sum]) {
    const decayed = rate / (1 + (t - 1) * lr_decay);
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i] + weight_decay * values[i];
      sum[i] += g * g;
      values[i] -= (decayed * g) / (Math.sqrt(sum[i]) + eps);
    }
  },
};

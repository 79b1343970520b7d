/** Adam (Kingma & Ba 2015), AdamW (Loshchilov & Hutter 2019) and their AMSGrad form (Reddi et al. 2018). */
import type { Rule } from './elementwise.ts';

const defaults = { betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0, amsgrad: false };

/** A decoupled decay shrinks the values themselves; otherwise it joins the gradient (an L2 term). */
const adamRule = (decay: number, { decoupled }: { decoupled: boolean }): Rule<typeof defaults> => ({
  defaults: { ...defaults, weight_decay: decay },
  moments: ({ amsgrad }) => [
    { name: 'exp_avg', signed: true },
    { name: 'exp_avg_sq', signed: false },
    ...(amsgrad ? [{ name: 'max_exp_avg_sq', signed: false }] : []),
  ],
  step({ betas: [b1, b2], eps, weight_decay }, { t, rate }, values, gradient, [m, v, highest]) {
    const kept = decoupled ? 1 - rate * weight_decay : 1;
    const l2 = decoupled ? 0 : weight_decay;
    const correction = Math.sqrt(1 - b2 ** t); // of the root, above and below the line
    const size = (rate * correction) / (1 - b1 ** t);
    const floor = eps * correction;
    for (let i = 0; i < values.length; i++) {
      const p = values[i] * kept;
      const g = gradient[i] + l2 * p;
      const mean = (m[i] += (1 - b1) * (g - m[i]));
      let square = (v[i] = b2 * v[i] + (1 - b2) * g * g);
      if (highest) square = highest[i] = Math.max(highest[i], square);
      values[i] = p - (size * mean) / (Math.sqrt(square) + floor);
    }
  },
});

export const adam = adamRule(0, { decoupled: false });
export const adamw = adamRule(0.01, { decoupled: true });

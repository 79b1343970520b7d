/** Lion (Chen et al. 2023): steps of one size, in the direction of an average. */
import type { Rule } from './elementwise.ts';

const defaults = { betas: [0.9, 0.99], weight_decay: 0 };

export const lion: Rule<typeof defaults> = {
  defaults,
  moments: () => [{ name: 'exp_avg', signed: true }],
  step({ betas: [b1, b2], weight_decay }, { rate }, values, gradient, [m]) {
    const kept = 1 - rate * weight_decay;
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i];
      values[i] = values[i] * kept - rate * Math.sign(b1 * m[i] + (1 - b1) * g);
      m[i] = b2 * m[i] + (1 - b2) * g;
    }
  },
};

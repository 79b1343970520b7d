/** RMSprop (Hinton 2012), also centred (Graves 2013) and with momentum. */
import type { Rule } from './elementwise.ts';

const defaults = { alpha: 0.99, eps: 1e-8, weight_decay: 0, momentum: 0, centered: false };

export const rmsprop: Rule<typeof defaults> = {
  defaults,
  moments: ({ centered, momentum }) => [
    { name: 'square_avg', signed: false },
    ...(centered ? [{ name: 'grad_avg', signed: true }] : []),
    ...(momentum > 0 ? [{ name: 'momentum_buffer', signed: true }] : []),
  ],
  step(settings, { rate }, values, gradient, [square, ...others]) {
    const { alpha, eps, weight_decay, momentum, centered } = settings;
    const mean = centered ? others[0] : undefined;
    const buffer = momentum > 0 ? others.at(-1) : undefined;
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i] + weight_decay * values[i];
      square[i] = alpha * square[i] + (1 - alpha) * g * g;
      let variance = square[i];
      if (mean) {
        mean[i] += (1 - alpha) * (g - mean[i]);
        variance = Math.max(0, variance - mean[i] * mean[i]); // rounding may take it below
      }
      let change = g / (Math.sqrt(variance) + eps);
      if (buffer) change = buffer[i] = momentum * buffer[i] + change;
      values[i] -= rate * change;
    }
  },
};

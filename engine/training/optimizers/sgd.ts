/** Gradient descent with momentum (Polyak 1964), also as Nesterov has it (Sutskever et al. 2013). */
import { NoodleError } from '../../errors.ts';
import { elementwise } from './elementwise.ts';
import type { OptimizerKind } from './optimizer.ts';

const defaults = { momentum: 0, dampening: 0, nesterov: false, weight_decay: 0 };

const rule = elementwise<typeof defaults>({
  defaults,
  moments: ({ momentum }) => (momentum > 0 ? [{ name: 'momentum_buffer', signed: true }] : []),
  step(settings, { t, rate }, values, gradient, [buffer]) {
    const { momentum, dampening, nesterov, weight_decay } = settings;
    const fresh = t === 1 ? 1 : 1 - dampening;
    for (let i = 0; i < values.length; i++) {
      let g = gradient[i] + weight_decay * values[i];
      if (buffer) {
        buffer[i] = momentum * buffer[i] + fresh * g;
        g = nesterov ? g + momentum * buffer[i] : buffer[i];
      }
      values[i] -= rate * g;
    }
  },
});

export const sgd: OptimizerKind<typeof defaults> = {
  defaults,
  create(layout, settings, initial) {
    const { nesterov, momentum, dampening } = settings;
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new NoodleError('BAD_INPUT', {
        subject: 'sgd: nesterov',
        expected: 'a momentum above 0 and a dampening of 0',
        got: `momentum ${momentum}, dampening ${dampening}`,
      });
    }
    return rule.create(layout, settings, initial);
  },
};

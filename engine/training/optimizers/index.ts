/** All optimisers by the names that job files have for them. */
import { NoodleError } from '../../errors.ts';
import type { ParameterLayout } from '../parameters.ts';
import { type Settings, settled } from '../settings.ts';
import { adafactor } from './adafactor.ts';
import { adagrad } from './adagrad.ts';
import { adam, adamw } from './adam.ts';
import { elementwise } from './elementwise.ts';
import { inBlocks } from './in-blocks.ts';
import { lion } from './lion.ts';
import type { Optimizer, OptimizerKind } from './optimizer.ts';
import { prodigy } from './prodigy.ts';
import { rmsprop } from './rmsprop.ts';
import { sgd } from './sgd.ts';

export const optimizers: Readonly<Record<string, OptimizerKind>> = {
  adam: elementwise(adam),
  adamw: elementwise(adamw),
  adam8bit: elementwise(adam, inBlocks),
  adamw8bit: elementwise(adamw, inBlocks),
  adafactor,
  adagrad: elementwise(adagrad),
  lion: elementwise(lion),
  lion8bit: elementwise(lion, inBlocks),
  prodigy,
  rmsprop: elementwise(rmsprop),
  sgd,
};

/**
 * The optimiser of a name (in any case) over tensors whose numbers start as `initial`; `given` are settings other
 * than its defaults. Throws BAD_INPUT for a name or a setting that is not there, and for values it cannot have.
 */
export function createOptimizer(
  name: string,
  layout: ParameterLayout,
  given: Settings,
  initial: Float32Array,
): Optimizer {
  const known = name.toLowerCase();
  if (!Object.hasOwn(optimizers, known)) {
    const expected = `one of ${Object.keys(optimizers).join(', ')}`;
    throw new NoodleError('BAD_INPUT', { subject: 'optimizer', expected, got: name });
  }
  const kind = optimizers[known];
  return kind.create(layout, settled(known, kind.defaults, given), initial);
}

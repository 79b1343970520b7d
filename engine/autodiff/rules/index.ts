/** The derivative table: a row for every op, under its name. */
import type { OpName, Ops } from '../../tensor/ops/index.ts';
import type { AttrsOf } from '../../tensor/tensor.ts';
import type { Derivation } from '../rule.ts';
import { activationRules } from './activations.ts';
import { attentionRules } from './attention.ts';
import { elementwiseRules } from './elementwise.ts';
import { movementRules } from './movement.ts';
import { normRules } from './norms.ts';
import { placeRules } from './places.ts';
import { productRules } from './products.ts';
import { reductionRules } from './reductions.ts';
import { rotaryRules } from './rotary.ts';
import { windowRules } from './windows.ts';

export const derivations: { readonly [K in OpName]: Derivation<AttrsOf<Ops[K]>> } = {
  input: 'constant',
  param: 'constant',
  constant: 'constant',
  range: 'constant',
  size: 'constant',
  ...elementwiseRules,
  ...activationRules,
  ...productRules,
  ...windowRules,
  ...normRules,
  ...attentionRules,
  ...rotaryRules,
  ...reductionRules,
  ...movementRules,
  ...placeRules,
};

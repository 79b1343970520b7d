/** The list of all ops, by name: one line a group. Tables elsewhere, as of a provider, have these names. */
import { activationOps } from './activations.ts';
import { attentionOps } from './attention.ts';
import { elementwiseOps } from './elementwise.ts';
import { leafOps } from './leaves.ts';
import { movementOps } from './movement.ts';
import { normOps } from './norms.ts';
import { placeOps } from './places.ts';
import { productOps } from './products.ts';
import { reductionOps } from './reductions.ts';
import { rotaryOps } from './rotary.ts';
import { windowOps } from './windows.ts';

export const ops = {
  ...leafOps,
  ...elementwiseOps,
  ...activationOps,
  ...productOps,
  ...windowOps,
  ...normOps,
  ...attentionOps,
  ...rotaryOps,
  ...reductionOps,
  ...movementOps,
  ...placeOps,
};

export type Ops = typeof ops;
export type OpName = keyof Ops;

/** Every golden operator by its case's name: one line a group. */
import { functions } from './functions.ts';
import { movement } from './movement.ts';
import { networks } from './networks.ts';
import type { Operators } from './operator.ts';
import { products } from './products.ts';
import { reductions } from './reductions.ts';

export const operators: Operators = {
  ...functions,
  ...movement,
  ...products,
  ...reductions,
  ...networks,
};

/** What a row of the tables of golden operators is. */
import type { Tensor } from '../../../../engine/tensor/tensor.ts';

/** The case's inputs, by name. */
export type Inputs = Readonly<Record<string, Tensor>>;

/** The case's parameters; which are there depends on the case. */
export interface Params {
  readonly axis: number;
  readonly eps: number;
  readonly equation: string;
  readonly groups?: number;
  readonly heads: number;
  readonly max: number;
  readonly min: number;
  readonly mode: string;
  /** Sides as torch has them: left, right, top, bottom. */
  readonly pad: readonly [number, number, number, number];
  readonly padding?: number | readonly number[];
  readonly output_padding?: number;
  readonly dilation?: number;
  readonly stride?: number;
  readonly size: readonly [number, number];
  readonly slope: number;
}

/** An operator of torch in our tensors: one result or several. */
export type Operator = (inputs: Inputs, params: Params) => Tensor | readonly Tensor[];
export type Operators = Readonly<Record<string, Operator>>;

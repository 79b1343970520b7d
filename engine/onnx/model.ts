/** An ONNX model as plain data, before it becomes bytes. */
import type { Dtype } from '../tensor/dtype.ts';
import type { Layout } from '../weights/layout.ts';
import type { WeightEntry } from '../weights/source.ts';

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] };

export interface OnnxNode {
  readonly op: string;
  /** Empty for the standard operators. */
  readonly domain: string;
  readonly name: string;
  /** Empty names stand for optional inputs that are left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

interface Constant {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** A constant whose bytes come from a weight source. */
export interface WeightInitializer extends Constant {
  /** The shape of the weight where it is stored. */
  readonly stored: readonly number[];
  readonly entry: WeightEntry;
  readonly layout: Layout;
}

/** A constant of the model: bytes inside it, or a weight. */
export type Initializer = WeightInitializer | (Constant & { readonly data: Uint8Array });

export interface OnnxValue {
  readonly name: string;
  readonly dtype: Dtype;
  /** Numbers are fixed sizes; texts name symbolic ones. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** Operator sets a model may use: standard operators, and two of ONNX Runtime's own. */
export const operatorSets: Readonly<Record<string, number>> = {
  '': 21,
  'com.microsoft': 1,
  'com.microsoft.nchwc': 1,
};

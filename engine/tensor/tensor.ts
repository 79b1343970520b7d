/**
 * Tensors of a program: immutable nodes that hold their op, their inputs and their symbolic shape. An op
 * is a row of facts in `ops/`; nothing else says what it does.
 */
import { NoodleError } from '../errors.ts';
import type { Dtype } from './dtype.ts';
import type { Kernel } from './host.ts';
import { ShapeError, type TensorType } from './shape-rules.ts';
import { type Shape, shapeText } from './shape.ts';

/** An op with parameters A. */
export interface Op<A = unknown> {
  /** Its name in dumps and in lowering tables: its key in the table that it stands in. */
  readonly name: string;
  /** The result's shape; throws `ShapeError` for inputs that do not fit. */
  shape(inputs: readonly TensorType[], attrs: A): Shape;
  /** Left out: the first input's type. */
  dtype?(inputs: readonly TensorType[], attrs: A): Dtype;
  /** What it computes, on the host; left out for what callers and files give. */
  readonly kernel?: Kernel<never>;
  /**
   * The op in simpler steps, which compute what the kernel computes: what a lowering does where its
   * provider has no such operator, and what derivatives are taken of. Left out for a primitive.
   */
  decompose?(tensor: Node<A>): Tensor;
  /** Whether it adds up many numbers, which half precision would lose or overflow. */
  readonly longSum?: boolean;
  /** Whether its result is a stored weight still, only seen in another type or order. */
  readonly weight?: boolean;
}

/** The facts of an op that is computed. */
export type OpRow<A> = Omit<Op<A>, 'name' | 'kernel'> & { readonly kernel: Kernel<A> };
/** An op that need not be lowered, for it can be done in steps. */
export type DecomposedOp<A> = Op<A> & Required<Pick<Op<A>, 'decompose'>>;

/** A row of a table of ops. */
export function row<A>(facts: OpRow<A> & Required<Pick<OpRow<A>, 'decompose'>>): DecomposedOp<A>;
export function row<A>(facts: OpRow<A>): Op<A>;
export function row<A>(facts: OpRow<A>): Op<A> {
  return { name: '', ...facts };
}

/** A row for what callers or files give. */
export const leaf = <A>(facts: Omit<Op<A>, 'name' | 'kernel' | 'decompose'>): Op<A> => ({
  name: '',
  ...facts,
});

/** A table of ops, each under its own name. */
export const opTable = <T extends Readonly<Record<string, Op<never>>>>(rows: T): T =>
  Object.fromEntries(Object.entries(rows).map(([name, op]) => [name, { ...op, name }])) as T;

/** A tensor of any op; `isOp` tells which. */
export interface Tensor {
  readonly op: Op;
  readonly attrs: unknown;
  readonly inputs: readonly Tensor[];
  readonly shape: Shape;
  readonly dtype: Dtype;
  /** Path in the checkpoint that the node belongs to; names nodes in dumps and profiles. */
  readonly scope: string;
}

/** A tensor of an op with parameters A. */
export interface Node<A> extends Tensor {
  readonly attrs: A;
}

/** Parameters of an op. */
export type AttrsOf<O> = O extends Op<infer A> ? A : never;

/** Whether the tensor is a result of the op. */
export const isOp = <A>(op: Op<A>, tensor: Tensor): tensor is Node<A> => tensor.op === op;

/**
 * Makes a node: shape and dtype come from the op. Without `scope`, which layers give, the node
 * belongs to the path that its computed inputs share. Throws PROGRAM, naming op, scope and input shapes, when they do not fit.
 */
export function node<A>(
  op: Op<A>,
  inputs: readonly Tensor[],
  attrs: A,
  scope: string = sharedScope(inputs),
): Node<A> {
  try {
    const shape = op.shape(inputs, attrs);
    const dtype = op.dtype ? op.dtype(inputs, attrs) : inputs[0].dtype;
    return { op: op, attrs, inputs, shape, dtype, scope };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const got = inputs.map((input) => shapeText(input.shape)).join(', ');
    const where = scope === '' ? op.name : `${scope}/${op.name}`;
    throw new NoodleError('PROGRAM', { reason: `${where}(${got}): ${error.message}` });
  }
}

/** The op in steps over the same inputs; undefined for a primitive. */
export const decomposed = (tensor: Tensor): Tensor | undefined => tensor.op.decompose?.(tensor);

/** A residual sum belongs to the block around its branches, an activation to the block of its layer. */
function sharedScope(inputs: readonly Tensor[]): string {
  const computed = inputs.filter((input) => input.inputs.length > 0 && !isWeight(input));
  const from = computed.length > 0 ? computed.map(surroundings) : inputs.map(({ scope }) => scope);
  return from.length === 0 ? '' : from.reduce(commonPath);
}

/** Where what follows a tensor belongs: after a layer with weights to what the layer is a part of. */
function surroundings({ inputs, scope }: Tensor): string {
  return inputs.some(isWeight) ? scope.slice(0, Math.max(0, scope.lastIndexOf('.'))) : scope;
}

/** A stored tensor, widened or seen with its axes in another order. */
function isWeight({ op, inputs }: Tensor): boolean {
  return op.weight === true && inputs.every(isWeight);
}

/** `a.b` of `a.b.c` and `a.b.d`. */
function commonPath(a: string, b: string): string {
  const [left, right] = [a.split('.'), b.split('.')];
  const end = left.findIndex((part, i) => part !== right[i]);
  return end < 0 ? a : left.slice(0, end).join('.');
}

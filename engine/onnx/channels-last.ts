/**
 * Pictures with their channels last. A program says [b, c, h, w]; where a provider's operators want
 * [b, h, w, c], their rows note the form that they computed, and rows that can do either follow it. The
 * plain form is a Transpose beside it, which falls away with all else that nobody reads (lower.ts): a
 * network is transposed where it begins, where it ends, and where something insists on the plain form.
 */
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Builder } from './builder.ts';
import { type Lower, type LoweringTable, type NodeOf, portable, resizeFrom } from './portable.ts';

/** The axes of [b, c, h, w] in the order in which they lie. */
const order = [0, 2, 3, 1];
/** Where each axis of [b, c, h, w] lies, which is also the way back. */
const places = [0, 3, 1, 2];

const transposed = (b: Builder, value: string, perm: readonly number[]): string =>
  b.emit('Transpose', [value], { attributes: { perm: { ints: perm } } });

export const isPicture = ({ shape, dtype }: Tensor): boolean =>
  shape.length === 4 && dtype === 'f32';

/** Whether a picture was lowered with its channels last, in the type that is computed in now. */
const liesLast = (b: Builder, x: Tensor): boolean => b.channelsLast.get(x)?.has(b.real) === true;

/** The name of a picture with its channels last. */
export const lastOf = (b: Builder, x: Tensor): string =>
  b.channelsLast.get(x)?.get(b.real) ?? note(b, x, transposed(b, b.nameOf(x), order));

/** Notes that `last` is a picture with its channels last; gives the name of the plain form. */
export function fromLast(b: Builder, x: Tensor, last: string): string {
  note(b, x, last);
  return transposed(b, last, places);
}

function note(b: Builder, x: Tensor, last: string): string {
  const forms = b.channelsLast.get(x) ?? new Map<Builder['real'], string>();
  b.channelsLast.set(x, forms.set(b.real, last));
  return last;
}

const turn = (shape: Shape): Shape => order.map((axis) => shape[axis]);

/** A node as it is on pictures with their channels last: shapes in that order, and what names axes. */
function turned<K extends FollowingOp>(tensor: NodeOf<K>): NodeOf<K> {
  const inputs = tensor.inputs.map((x) => (isPicture(x) ? { ...x, shape: turn(x.shape) } : x));
  const attrs = { ...tensor.attrs } as Partial<
    Record<'axis', number> & Record<'before' | 'after', Shape>
  >;
  if (attrs.axis !== undefined) attrs.axis = places[attrs.axis];
  if (attrs.before) attrs.before = turn(attrs.before);
  if (attrs.after) attrs.after = turn(attrs.after);
  return { ...tensor, inputs, attrs: attrs as NodeOf<K>['attrs'], shape: turn(tensor.shape) };
}

/** Ops that compute the same in either order, and tell axes in `axis`, `before` and `after` alone. */
type FollowingOp =
  | 'settle'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'minimum'
  | 'maximum'
  | 'neg'
  | 'abs'
  | 'exp'
  | 'sqrt'
  | 'tanh'
  | 'sigmoid'
  | 'relu'
  | 'leakyRelu'
  | 'clamp'
  | 'silu'
  | 'gelu'
  | 'geluTanh'
  | 'quickGelu'
  | 'concat'
  | 'slice'
  | 'pad';

/** The row on pictures with their channels last, where one of the op's pictures lies so. */
export const following =
  <K extends FollowingOp>(row: Lower<K>): Lower<K> =>
  (b, tensor, inputs) => {
    const follows =
      isPicture(tensor) &&
      tensor.inputs.every((x) => isPicture(x) || (x.shape.length === 0 && x.dtype === 'f32')) &&
      tensor.inputs.some((x) => liesLast(b, x));
    if (!follows) return row(b, tensor, inputs);
    const names = tensor.inputs.map((x, i) => (isPicture(x) ? lastOf(b, x) : inputs[i]));
    const last = row(b, turned(tensor), names);
    return last === undefined ? undefined : fromLast(b, tensor, last);
  };

/** Nearest sizes are picked in either order; linear ones are computed plain. */
const resize: Lower<'resize'> = (b, tensor, inputs) => {
  const [x] = tensor.inputs;
  if (!isPicture(x) || tensor.attrs.mode !== 'nearest' || !liesLast(b, x)) {
    return portable.resize(b, tensor, inputs);
  }
  const picture = { ...tensor, inputs: [{ ...x, shape: turn(x.shape) }] };
  return fromLast(b, tensor, resizeFrom(b, picture, lastOf(b, x), 1));
};

/** What turns a picture from one order into the other is nothing where it lies so already. */
const permute: Lower<'permute'> = (b, tensor, inputs) => {
  const [x] = tensor.inputs;
  const isOrder = (wanted: readonly number[]): boolean =>
    isPicture(x) && wanted.every((axis, i) => tensor.attrs.order[i] === axis);
  if (isOrder(order) && liesLast(b, x)) return lastOf(b, x);
  if (isOrder(places)) return fromLast(b, tensor, inputs[0]);
  return portable.permute(b, tensor, inputs);
};

/** Rows for all that follows the order of its pictures and is no convolution and no norm. */
export const followers = {
  settle: following<'settle'>(portable.settle),
  add: following<'add'>(portable.add),
  sub: following<'sub'>(portable.sub),
  mul: following<'mul'>(portable.mul),
  div: following<'div'>(portable.div),
  minimum: following<'minimum'>(portable.minimum),
  maximum: following<'maximum'>(portable.maximum),
  neg: following<'neg'>(portable.neg),
  abs: following<'abs'>(portable.abs),
  exp: following<'exp'>(portable.exp),
  sqrt: following<'sqrt'>(portable.sqrt),
  tanh: following<'tanh'>(portable.tanh),
  sigmoid: following<'sigmoid'>(portable.sigmoid),
  relu: following<'relu'>(portable.relu),
  leakyRelu: following<'leakyRelu'>(portable.leakyRelu),
  clamp: following<'clamp'>(portable.clamp),
  gelu: following<'gelu'>(portable.gelu),
  geluTanh: following<'geluTanh'>(portable.geluTanh),
  concat: following<'concat'>(portable.concat),
  slice: following<'slice'>(portable.slice),
  pad: following<'pad'>(portable.pad),
  resize,
  permute,
} satisfies Partial<LoweringTable>;

/** What a row of the derivative table is. */
import type { Node, Tensor } from '../tensor/tensor.ts';

/**
 * The vector-Jacobian product of an op, in tensors of the same program: from `g`, the gradient of the result
 * (in its shape), those of the inputs (in theirs). Only what `wants` says is used, the rest may be left out.
 * Undefined in place of the list: it cannot say, the op's steps are derived instead.
 */
export type Rule<A> = (
  tensor: Node<A>,
  g: Tensor,
  wants: readonly boolean[],
) => readonly (Tensor | undefined)[] | undefined;

/** The same result in other ops, which have rules. */
export type Steps<A> = (tensor: Node<A>) => Tensor | undefined;

/** How an op is derived. */
export type Derivation<A> =
  | Rule<A>
  | { readonly rule?: Rule<A>; readonly steps: Steps<A> }
  /** It does not change with its inputs, or in jumps: nothing goes further back. */
  | 'constant';

/** The op in the steps that it is made of. */
export const ownSteps: Steps<unknown> = (tensor) => tensor.op.decompose?.(tensor);

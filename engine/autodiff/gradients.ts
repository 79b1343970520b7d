/**
 * Reverse mode: the gradients of a scalar of a program, as further tensors of the same program. What
 * an op does to a gradient is a row of `rules/`; what gradients do not go through costs nothing.
 */
import { NoodleError } from '../errors.ts';
import type { OpName } from '../tensor/ops/index.ts';
import { scalar } from '../tensor/ops/leaves.ts';
import { expand } from '../tensor/ops/movement.ts';
import { add } from '../tensor/ops/elementwise.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { topologicalOrder } from '../tensor/trace.ts';
import { recomputing } from './recompute.ts';
import type { Derivation } from './rule.ts';
import { derivations } from './rules/index.ts';
import { zerosOf } from './shapes.ts';

export interface GradientOptions {
  /** The gradient of `of` itself; left out: ones. A loss scale of half precision is given here. */
  readonly seed?: Tensor;
  /**
   * Which tensors the backward pass may read as they were computed (outputs of a network's blocks); what lies
   * between them it computes again (Chen et al. 2016), which changes no bit. Left out: all of them.
   */
  readonly kept?: ReadonlySet<Tensor>;
}

/**
 * The gradients of `of` (usually a scalar loss; of more, their sum weighted by `seed`) with respect to each
 * of `wanted`, in their shapes; zeros where it does not depend on one. Throws PROGRAM for an op that cannot be derived.
 */
export function gradients(
  of: Tensor,
  wanted: readonly Tensor[],
  { seed, kept }: GradientOptions = {},
): Tensor[] {
  const order = topologicalOrder([of]);
  const start = seed ?? (of.shape.length === 0 ? scalar(1) : expand(scalar(1), of.shape));
  const standIn = kept ? recomputing(order, kept) : same;
  const found = backward(order, { of, g: start }, new Set(wanted), standIn);
  return wanted.map((tensor) => found.get(tensor) ?? zerosOf(tensor.shape));
}

/** What a rule reads in place of a tensor with the gradient g: the tensor, or one computed again. */
type StandIn = (tensor: Tensor, g: Tensor) => Tensor;

const same: StandIn = (tensor) => tensor;

/** Gradients of `wanted` from that of `of`, over its dependencies in their order. */
function backward(
  order: readonly Tensor[],
  { of, g }: { readonly of: Tensor; readonly g: Tensor },
  wanted: ReadonlySet<Tensor>,
  standIn: StandIn,
): ReadonlyMap<Tensor, Tensor> {
  const needs = new Set<Tensor>();
  for (const tensor of order) {
    const depends = wanted.has(tensor) || tensor.inputs.some((input) => needs.has(input));
    if (depends && tensor.dtype === 'f32') needs.add(tensor);
  }
  const found = new Map<Tensor, Tensor>([[of, g]]);
  for (const tensor of order.toReversed()) {
    const gradient = found.get(tensor);
    if (!gradient || !needs.has(tensor)) continue;
    const wants = tensor.inputs.map((input) => needs.has(input));
    if (!wants.includes(true)) continue;
    const parts = pullback(standIn(tensor, gradient), gradient, wants);
    parts.forEach((part, i) => {
      if (!part || !wants[i]) return;
      const input = tensor.inputs[i];
      const other = found.get(input);
      found.set(input, other ? add(other, part) : part);
    });
    if (!wanted.has(tensor)) found.delete(tensor);
  }
  return found;
}

/** The gradients of a tensor's inputs from its own. */
function pullback(
  tensor: Tensor,
  g: Tensor,
  wants: readonly boolean[],
): readonly (Tensor | undefined)[] {
  const derivation = derivations[tensor.op.name as OpName] as Derivation<unknown>;
  if (derivation === 'constant') return [];
  const { rule, steps } =
    typeof derivation === 'function' ? { rule: derivation, steps: undefined } : derivation;
  const known = rule?.(tensor, g, wants);
  if (known) return known;
  const made = steps?.(tensor);
  if (!made)
    throw new NoodleError('PROGRAM', { reason: `the op ${tensor.op.name} has no derivative` });
  const { inputs } = tensor;
  const isInput = (t: Tensor): boolean => inputs.includes(t);
  const wanted = new Set(inputs.filter((_, i) => wants[i]));
  const found = backward(topologicalOrder([made], isInput), { of: made, g }, wanted, same);
  // an input that is there twice has all of its gradient once
  return inputs.map((input, i) => (inputs.indexOf(input) === i ? found.get(input) : undefined));
}

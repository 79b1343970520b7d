/**
 * Recomputation (gradient checkpointing, Chen et al. 2016): a backward pass reads copies of what lies within
 * a block, computed anew from what the block was given when its gradient arrives.
 */
import { after } from '../tensor/ops/movement.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * For the tensors of a program, in their order, what stands in for each in the backward pass: itself where it is
 * `kept`, stored, or read by several blocks, else a copy that is computed after the gradient `g` of
 * the first one asked for of its block. What follows the last block is kept as a whole.
 */
export function recomputing(
  order: readonly Tensor[],
  kept: ReadonlySet<Tensor>,
): (tensor: Tensor, g: Tensor) => Tensor {
  const stored = storedOnes(order);
  const blockOf = blocks(order, kept, stored);
  const stays = new Set(kept);
  for (const tensor of order) {
    for (const input of tensor.inputs) {
      if (blockOf.get(input) !== blockOf.get(tensor)) stays.add(input);
    }
  }
  const copies = new Map<number, (tensor: Tensor) => Tensor>();
  return (tensor, g) => {
    const block = blockOf.get(tensor);
    if (block === undefined) return tensor;
    let copy = copies.get(block);
    if (!copy) copies.set(block, (copy = copier(stays, stored, g)));
    // its inputs and its own result are asked for, not what it is
    return stays.has(tensor) ? { ...tensor, inputs: tensor.inputs.map(copy) } : copy(tensor);
  };
}

/** Copies of a block's tensors, each made once, from what stays, which is read after `g`. */
function copier(
  stays: ReadonlySet<Tensor>,
  stored: ReadonlySet<Tensor>,
  g: Tensor,
): (tensor: Tensor) => Tensor {
  const made = new Map<Tensor, Tensor>();
  const copy = (tensor: Tensor): Tensor => {
    if (stored.has(tensor)) return tensor;
    let result = made.get(tensor);
    if (!result) {
      result = stays.has(tensor)
        ? after(tensor, g)
        : { ...tensor, inputs: tensor.inputs.map(copy) };
      made.set(tensor, result);
    }
    return result;
  };
  return copy;
}

/** Inputs and constants, and weights seen in another type or order. */
function storedOnes(order: readonly Tensor[]): ReadonlySet<Tensor> {
  const stored = new Set<Tensor>();
  for (const tensor of order) {
    const { op, inputs } = tensor;
    const isLeaf = inputs.length === 0;
    const isView = op.weight === true && inputs.every((input) => stored.has(input));
    if (isLeaf || isView) stored.add(tensor);
  }
  return stored;
}

/** The block of every tensor: the next kept one that is computed. None for what follows the last, and for what is stored. */
function blocks(
  order: readonly Tensor[],
  kept: ReadonlySet<Tensor>,
  stored: ReadonlySet<Tensor>,
): ReadonlyMap<Tensor, number> {
  const blockOf = new Map<Tensor, number>();
  let pending: Tensor[] = [];
  order.forEach((tensor, i) => {
    if (!stored.has(tensor)) pending.push(tensor);
    if (!kept.has(tensor)) return;
    for (const each of pending) blockOf.set(each, i);
    pending = [];
  });
  return blockOf;
}

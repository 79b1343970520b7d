/** How much memory the values of a program take while it runs. */
import { sizeOf } from '../array/nd.ts';
import { dtypes } from '../weights/dtypes.ts';
import { leafOps } from './ops/leaves.ts';
import { movementOps } from './ops/movement.ts';
import { type Dim, evalShape } from './shape.ts';
import { bindSizes } from './sizes.ts';
import { type Tensor, isOp } from './tensor.ts';
import type { Program } from './trace.ts';

/**
 * Bytes of all values that are alive at once, at the worst moment, for inputs of these shapes: each
 * from where it is computed to its last reader, in the program's order. Weights and constants do not
 * count. `inside` says what an operator needs beside its inputs and result while it runs. Throws
 * BAD_INPUT for shapes that do not fit.
 */
export function peakMemory(
  program: Program,
  shapes: Readonly<Record<string, { readonly shape: readonly number[] }>>,
  inside: (tensor: Tensor, sizeOf: (dim: Dim) => number) => number = () => 0,
): number {
  const { nodes, outputs } = program;
  const sizes = bindSizes(program, shapes);
  const size = (dim: Dim): number => evalShape([dim], sizes)[0];
  const lastReader = new Map<Tensor, number>();
  nodes.forEach((tensor, i) => {
    for (const input of tensor.inputs) lastReader.set(ownerOf(input), i);
  });
  for (const output of Object.values(outputs)) lastReader.set(ownerOf(output), nodes.length);
  const leaving = new Map<number, number>();
  const fixed = new Set<Tensor>();
  let alive = 0;
  let peak = 0;
  nodes.forEach((tensor, i) => {
    const isFixed =
      !isOp(leafOps.input, tensor) && tensor.inputs.every((input) => fixed.has(input));
    if (isFixed) fixed.add(tensor);
    else if (ownerOf(tensor) === tensor) {
      const bytes = sizeOf(evalShape(tensor.shape, sizes)) * dtypes[tensor.dtype].bytes;
      const end = lastReader.get(tensor) ?? i;
      leaving.set(end, (leaving.get(end) ?? 0) + bytes);
      alive += bytes;
      peak = Math.max(peak, alive + inside(tensor, size));
    }
    alive -= leaving.get(i) ?? 0;
  });
  return peak;
}

/** The tensor whose memory this one shows: a reshape copies nothing. */
function ownerOf(tensor: Tensor): Tensor {
  let owner = tensor;
  while (isOp(movementOps.reshape, owner) || isOp(movementOps.settle, owner)) {
    [owner] = owner.inputs;
  }
  return owner;
}

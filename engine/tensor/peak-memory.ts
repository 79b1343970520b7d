/** How much memory the values of a program take while it runs. */
import { sizeOf } from '../array/nd.ts';
import { dtypes } from '../weights/dtypes.ts';
import { leafOps } from './ops/leaves.ts';
import { movementOps } from './ops/movement.ts';
import { type Dim, evalShape } from './shape.ts';
import { bindSizes } from './sizes.ts';
import { type Tensor, isOp } from './tensor.ts';
import type { Program } from './trace.ts';

export interface PeakOptions {
  /** What an operator needs beside its inputs and result while it runs; left out: nothing. */
  readonly inside?: (tensor: Tensor, sizeOf: (dim: Dim) => number) => number;
  /** What a value of so many bytes takes; left out: these. */
  readonly taken?: (bytes: number) => number;
  /** Which of so many bytes come back only where the program settles; left out: none. */
  readonly isLate?: (bytes: number) => boolean;
}

/**
 * Bytes of all values that are alive at once, at the worst moment, for inputs of these shapes: each
 * from where it is computed to its last reader, in the program's order. Weights and constants do not
 * count. Throws BAD_INPUT for shapes that do not fit.
 */
export function peakMemory(
  program: Program,
  shapes: Readonly<Record<string, { readonly shape: readonly number[] }>>,
  { inside = () => 0, taken = (bytes) => bytes, isLate = () => false }: PeakOptions = {},
): number {
  const { nodes, outputs } = program;
  const sizes = bindSizes(program, shapes);
  const size = (dim: Dim): number => evalShape([dim], sizes)[0];
  const lastReader = new Map<Tensor, number>();
  nodes.forEach((tensor, i) => {
    for (const input of tensor.inputs) lastReader.set(ownerOf(input), i);
  });
  for (const output of Object.values(outputs)) lastReader.set(ownerOf(output), nodes.length);
  /** Where the program settles next from each place on. */
  const settling = new Array<number>(nodes.length + 1).fill(nodes.length);
  for (let i = nodes.length - 1; i >= 0; i--) {
    settling[i] = isOp(movementOps.settle, nodes[i]) ? i : settling[i + 1];
  }
  const leaving = new Map<number, number>();
  const fixed = new Set<Tensor>();
  let alive = 0;
  let peak = 0;
  nodes.forEach((tensor, i) => {
    const isFixed =
      !isOp(leafOps.input, tensor) && tensor.inputs.every((input) => fixed.has(input));
    if (isFixed) fixed.add(tensor);
    else if (ownerOf(tensor) === tensor) {
      const own = sizeOf(evalShape(tensor.shape, sizes)) * dtypes[tensor.dtype].bytes;
      const bytes = taken(own);
      const last = lastReader.get(tensor) ?? i;
      const end = isLate(own) ? settling[last] : last;
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

/** How much memory models take, and how much they may take together. */
import { totalmem } from 'node:os';
import type { Real } from '../onnx/builder.ts';
import { leafOps } from '../tensor/ops/leaves.ts';
import { type Tensor, isOp } from '../tensor/tensor.ts';
import type { Program } from '../tensor/trace.ts';
import { isReal } from '../tensor/dtype.ts';
import { sizeOfShape } from '../tensor/shape.ts';
import { dtypes } from '../weights/dtypes.ts';

/** Share of the machine's memory that open models may take when nothing else is said. */
const defaultShare = 0.6;

/** Default budget in bytes: a share of the machine's memory, or of what a container allows. */
export function defaultMemoryBudget(): number {
  const limit = process.constrainedMemory() ?? 0;
  const total = totalmem();
  return Math.floor(defaultShare * (limit > 0 && limit < total ? limit : total));
}

/** Bytes that a program's weights take once open, as what they are stored as or computed in. */
export const estimateMemory = ({ nodes }: Pick<Program, 'nodes'>, compute: Real = 'f32'): number =>
  nodes.reduce((bytes, tensor) => bytes + weightBytes(tensor, compute), 0);

/** Bytes of a weight once open; 0 for every other tensor. */
export function weightBytes(tensor: Tensor, compute: Real): number {
  if (!isOp(leafOps.param, tensor)) return 0;
  const { entry, dtype } = tensor.attrs;
  const count = sizeOfShape(tensor.shape) as number; // stored tensors have fixed sizes
  return isReal(dtype) ? count * dtypes[compute].bytes : entry.byteLength;
}

/** How much memory models take, and how much they may take together. */
import { totalmem } from 'node:os';
import type { Real } from '../onnx/builder.ts';
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
export function estimateMemory(program: Program, compute: Real = 'f32'): number {
  let bytes = 0;
  for (const tensor of program.nodes) {
    if (tensor.op !== 'param') continue;
    const { entry, dtype } = tensor.attrs;
    const count = sizeOfShape(tensor.shape) as number; // stored tensors have fixed sizes
    bytes += isReal(dtype) ? count * dtypes[compute].bytes : entry.byteLength;
  }
  return bytes;
}

/** How much memory models take, and how much they may take together. */
import { totalmem } from 'node:os';
import { type Real, type WeightForms, storedWeight } from '../onnx/builder.ts';
import { packedBytes } from '../onnx/nibbles.ts';
import { narrowBytes } from '../onnx/widen.ts';
import { type Param, leafOps } from '../tensor/ops/leaves.ts';
import { placeOps } from '../tensor/ops/places.ts';
import { peakMemory } from '../tensor/peak-memory.ts';
import { type Tensor, isOp } from '../tensor/tensor.ts';
import type { Program } from '../tensor/trace.ts';
import { isReal } from '../tensor/dtype.ts';
import { type Dim, type Shape, sizeOfShape } from '../tensor/shape.ts';
import { dtypes } from '../weights/dtypes.ts';
import type { Provider } from './provider.ts';

/** Share of the machine's memory that open models may take when nothing else is said. */
const defaultShare = 0.6;

/** Default budget in bytes: a share of the machine's memory, or of what a container allows. */
export function defaultMemoryBudget(): number {
  const limit = process.constrainedMemory() ?? 0;
  const total = totalmem();
  return Math.floor(defaultShare * (limit > 0 && limit < total ? limit : total));
}

/** In what form a program's weights lie in memory while it is open. */
export interface WeightForm {
  /** The type that reals are computed in. */
  readonly compute: Real;
  /** Whether narrow weights are widened before, or lie as they are stored and are widened in the graph. */
  readonly widen: WeightForms['widen'];
  /** Whether matrices in codes of four bits are packed once more. */
  readonly packsNibbles?: boolean;
  /** Bytes of a weight that stays in the codes it is stored in; undefined, or left out: it does not. */
  readonly inCodes?: (param: Param, real: Real) => number | undefined;
  /** Bytes of each number of the weights of a shape that are rewritten in whole numbers; undefined, or left out: they are not. */
  readonly int8?: (shape: Shape) => number | undefined;
}

const wide: WeightForm = { compute: 'f32', widen: 'weights' };

/** Bytes that a program's weights take once open, as what they are stored as or computed in. */
export const estimateMemory = ({ nodes }: Pick<Program, 'nodes'>, form = wide): number =>
  sum(nodes.map(weightBytes({ nodes }, form)));

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

/** Tells the bytes of a program's weights once open; 0 for every other tensor. */
export function weightBytes(
  { nodes }: Pick<Program, 'nodes'>,
  { compute, widen, packsNibbles, inCodes, int8 }: WeightForm = wide,
): (tensor: Tensor) => number {
  const tables = lookedUp(nodes);
  return (tensor) => {
    if (!isOp(leafOps.param, tensor)) return 0;
    const { entry, dtype } = tensor.attrs;
    const count = sizeOfShape(tensor.shape) as number; // stored tensors have fixed sizes
    const coded = tables.has(tensor) ? undefined : inCodes?.(tensor, compute);
    if (coded !== undefined) return coded;
    const whole = isReal(dtype) && !tables.has(tensor) ? int8?.(tensor.shape) : undefined;
    if (whole !== undefined) return whole * count;
    if (!isReal(dtype) && !entry.scales) return entry.byteLength;
    const packed = packsNibbles && !tables.has(tensor) ? packedBytes(tensor) : 0;
    const plain = widen === 'graph' ? narrowBytes(tensor, compute) : count * dtypes[compute].bytes;
    return plain + packed;
  };
}

/** Weights from which rows are picked (words, positions): they are never rewritten in whole numbers. */
const lookedUp = (nodes: readonly Tensor[]): ReadonlySet<Tensor | undefined> =>
  new Set(
    nodes.flatMap((tensor) =>
      isOp(placeOps.gather, tensor) ? [storedWeight(tensor.inputs[0])] : [],
    ),
  );

/**
 * A call takes about twice what its values take, for convolutions hold their channels in blocks as well
 * (measured: 2.0 on ESRGAN, 1.6 on the decoder of Stable Diffusion; the decoder in fp32 on WebGPU, whose
 * buffers come in fixed sizes, 1.6). In halves it takes less; what is computed exactly there does not.
 */
const insideOperators = 2;

/**
 * Of values that come back late, for what their operators take beside does so as well (measured: the decoder
 * in fp32 on WebGPU, on an NVIDIA H100, 3.1 GB at 512 px, 9.1 at 768, 17.1 at 1024; counted 3.8, 9.7, 17.2).
 */
const besideLate = 2;

type Shapes = Readonly<Record<string, { readonly shape: readonly number[] }>>;

/**
 * Bytes that a run of the program takes beyond its weights, for inputs of these shapes; told from the
 * program alone, once for shapes. Throws BAD_INPUT for shapes that do not fit.
 */
export function workingMemory(
  program: Program,
  {
    compute,
    inside: more,
    lateBytes = Infinity,
  }: Pick<Provider, 'compute' | 'inside' | 'lateBytes'> = wide,
): (inputs: Shapes) => number {
  const width = dtypes[compute].bytes;
  const inside = (tensor: Tensor, size: (dim: Dim) => number): number =>
    more === undefined ? 0 : more(tensor, size, width) / insideOperators;
  /** Programs say f32. */
  const computed = (bytes: number): number => (bytes * width) / dtypes.f32.bytes;
  const isLate = (bytes: number): boolean => computed(bytes) > lateBytes;
  const taken = (bytes: number): number =>
    isLate(bytes) ? Math.max(bytes, computed(bytes) * besideLate) : bytes;
  const known = new Map<string, number>();
  return (inputs) => {
    const key = JSON.stringify(program.inputs.map(({ attrs: { name } }) => inputs[name]?.shape));
    const bytes =
      known.get(key) ?? peakMemory(program, inputs, { inside, taken, isLate }) * insideOperators;
    known.set(key, bytes);
    return bytes;
  };
}

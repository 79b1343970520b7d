/**
 * An execution provider of ONNX Runtime that programs can be lowered for, as a row of data. Whatever
 * differs between providers is said in it; nobody asks for a row by its name.
 */
import type { Real } from '../onnx/builder.ts';
import type { Target } from '../onnx/lower.ts';
import type { Param } from '../tensor/ops/leaves.ts';
import type { Dim, Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { OrtOptions } from './ort.ts';

/** What of a target depends on the machine. */
export type MachineFacts = Pick<Target, 'block' | 'bits'>;

/** What of a target depends on the memory that there is. */
export type MemoryForms = Pick<Target, 'keepStored' | 'isShort' | 'packsNibbles'>;

export interface Provider
  extends Required<Omit<Target, keyof MachineFacts | 'winograd' | keyof MemoryForms>>, MemoryForms {
  readonly name: string;
  /**
   * Where weights and values lie while a model is open. A device has copies of its own: files of weights
   * are done with once the session is open, and it reads none narrower than it computes.
   */
  readonly memory: 'host' | 'device';
  /**
   * Whether models leave out the sizes of what they are fed and give. ONNX Runtime's plan of a run's memory compares
   * each result of a known rank with all that are done with by then, which finds nothing where sizes are symbols
   * and takes longer than all else of opening. Left out: they say them.
   */
  readonly hidesSizes?: boolean;
  /** Whether results can stay on the device and be fed to other sessions of it from there. */
  readonly keepsResults?: boolean;
  /**
   * Bytes that an operator takes while it runs beyond twice its inputs and result, which all are given. Sizes
   * of dimensions come from `size`; a number that is computed in takes `real` bytes. Left out: none.
   */
  readonly inside?: (tensor: Tensor, size: (dim: Dim) => number, real: number) => number;
  /**
   * Values of so many bytes come back only when the host waits for the device, with all that their operators
   * took beside. Left out: none.
   */
  readonly lateBytes?: number;
  /**
   * Bytes that a program's weights may take when narrow ones are widened before it opens. Those of a
   * larger one stay narrow and are widened whenever they are read.
   */
  readonly widestBytes: number;
  /**
   * Bytes of a larger program from which on its matrices are laid as kernels want them, narrow, where memory
   * suffices; those of smaller ones stay where they are stored. Left out: all do.
   */
  readonly laidFrom?: number;
  /** Whether a larger program's matrices in codes of four bits are read as they are, packed, where memory suffices. */
  readonly canPack?: boolean;
  /**
   * Bytes that convolutions' filters may take beyond their plain form to be computed by Winograd's
   * method, for a program whose weights take `bytes`.
   */
  readonly winogradBytes: (bytes: number) => number;
  /** Bytes of a weight that stays in the codes it is stored in; undefined, or left out: it does not. */
  readonly inCodes?: (param: Param, real: Real) => number | undefined;
  /** Bytes of each number of the weights of a shape that are rewritten in whole numbers; undefined, or left out: they are not. */
  readonly int8?: (shape: Shape) => number | undefined;
  /** How ONNX Runtime is told: its providers, the first choice first, and options that measured best. */
  readonly session: OrtOptions & { readonly providers: readonly string[] };
  /** What is otherwise on a device that was not seen to compute the fused attention rightly; left out: nothing. */
  readonly inSteps?: Partial<Omit<Provider, 'inSteps'>>;
  /** What lowering must know of this machine. */
  readonly probe: () => Promise<MachineFacts>;
}

/** A row as a device has it that was not seen to compute the fused attention rightly. */
export const inSteps = (row: Provider): Provider => ({ ...row, ...row.inSteps });

/** Reals in full precision. */
export const fullPrecision = { compute: 'f32', exact: () => false } satisfies Partial<Target>;

/**
 * Reals in half precision. Exact stays whatever is computed before a weight comes in (angles of timesteps
 * and positions, masks, sizes), and long sums, but for those of the ops `within` whose kernels add up in
 * full precision themselves.
 */
export const halfPrecision = (
  within: ReadonlySet<string> = new Set(),
): Pick<Provider, 'compute' | 'exact'> => ({
  compute: 'f16',
  exact: ({ op }, weighted) => !weighted || (op.longSum === true && !within.has(op.name)),
});

/** Winograd's method is not used. */
export const noWinograd = (): number => 0;

/** Nothing depends on the machine. */
export const noFacts = async (): Promise<MachineFacts> => ({});

/** The contract of one golden area: how to run a case and what it was compared with. */
import type { NDArray } from '../../engine/array/nd.ts';
import { type Extent, allowedError } from './device.ts';

/** One compared output of a case. */
export interface Comparison {
  readonly name: string;
  readonly maxError: number;
  /** The bound that maxError was held against (atol + rtol·|expected| folded in: see `compare`). */
  readonly tolerance: number;
  readonly pass: boolean;
}

export type CaseResult =
  { readonly comparisons: readonly Comparison[] } | { readonly skip: string };

export interface GoldenArea {
  /** Folder name of the area. */
  readonly name: string;
  /** Case names in `dir` (usually the stems of its files), in a stable order. */
  list(dir: string): Promise<readonly string[]>;
  run(dir: string, name: string): Promise<CaseResult>;
}

/**
 * numpy's allclose as a figure: pass when |got - expected| <= atol + rtol·|expected| everywhere
 * (NaN equals NaN, infinities must agree). `tolerance` is the bound where the excess was largest. On
 * devices whose arithmetic is another one (device.ts), what is beyond it may be off by a share of its size.
 */
export function compare(
  name: string,
  got: NDArray | { data: ArrayLike<number>; shape: readonly number[] },
  expected: { data: ArrayLike<number>; shape: readonly number[] },
  { atol, rtol, extent = 'network' }: { atol: number; rtol: number; extent?: Extent },
): Comparison {
  if (got.shape.join() !== expected.shape.join()) {
    return {
      name: `${name} (shape [${got.shape.join(', ')}], expected [${expected.shape.join(', ')}])`,
      maxError: Infinity,
      tolerance: atol,
      pass: false,
    };
  }
  let maxError = 0;
  let worstExcess = -Infinity;
  let tolerance = atol;
  for (let i = 0; i < expected.data.length; i++) {
    const a = got.data[i];
    const b = expected.data[i];
    if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const raw = Math.abs(a - b);
    const error = Number.isNaN(raw) ? Infinity : raw;
    const bound = Number.isFinite(b) ? atol + rtol * Math.abs(b) : atol;
    maxError = Math.max(maxError, error);
    if (error - bound > worstExcess) {
      worstExcess = error - bound;
      tolerance = bound;
    }
  }
  const pass = worstExcess <= 0;
  const share = atol === 0 && rtol === 0 ? undefined : allowedError(extent);
  if (pass || share === undefined) return { name, maxError, tolerance, pass };
  const error = relativeError(got.data, expected.data);
  return { name: `${name} (of its size)`, maxError: error, tolerance: share, pass: error <= share };
}

/** Root mean square of the difference, of that of what was expected. */
function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let squares = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    squares += (got[i] - expected[i]) ** 2;
    size += expected[i] ** 2;
  }
  return Math.sqrt(squares / size);
}

/** Where in the memory of a thread's kernels the forms of a piece of a weight lie, while it is rewritten. */
import { type StorageDtype, decode } from './dtypes.ts';
import { kernelSlack, kernels } from './kernels.ts';

/** The memory of this thread's kernels, and where in it the forms of a piece lie. */
export interface Areas {
  readonly memory: ArrayBuffer;
  readonly stored: number;
  readonly widened: number;
  readonly laid: number;
  /** Where the columns of a block go, for `transposeTo`. */
  readonly places: number;
}

/** Whole cache lines. */
export const aligned = (size: number): number => Math.ceil(size / 64) * 64;

/** Areas of at least `sizes` bytes, one behind the other. */
export function layAreas(sizes: readonly number[]): Areas {
  let end = 0;
  const [stored, widened, laid, places] = sizes.map((size) => {
    const at = end;
    end += aligned(size) + kernelSlack;
    return at;
  });
  return { memory: kernels().memory(end), stored, widened, laid, places };
}

export const bytesAt = ({ memory }: Areas, offset: number, size: number): Uint8Array =>
  new Uint8Array(memory, offset, size);

/** The piece's numbers as f32, to the place for them. */
export function widen(bytes: Uint8Array, dtype: StorageDtype, areas: Areas, count: number): void {
  const { memory, stored, widened } = areas;
  const kernel = wideners[dtype];
  if (kernel) {
    kernels()[kernel](stored, widened, count);
    return;
  }
  const out = new Float32Array(memory, widened, count);
  const values = decode(bytes, dtype, out);
  if (values !== out) out.set(values);
}

/** Types that a kernel widens. */
const wideners: { readonly [D in StorageDtype]?: 'widenHalf' | 'widenBfloat' } = {
  F16: 'widenHalf',
  BF16: 'widenBfloat',
};

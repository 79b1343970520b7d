/** Which weights come into which file, and where in it. */

/** Alignment of tensors in a file: a cache line, as vector loads like it. */
const alignment = 64;

/** Below this many bytes the calling thread does the work: starting others takes longer. */
export const threadsFrom = 1 << 26;

export interface FilePlan<T> {
  readonly places: readonly { readonly item: T; readonly offset: number }[];
  /** Bytes of the file. */
  readonly size: number;
}

/** Spreads items of some bytes over at most `count` files of about the same size, none of them empty. */
export function spreadOverFiles<T>(
  items: readonly T[],
  bytesOf: (item: T) => number,
  count: number,
): FilePlan<T>[] {
  const plans = Array.from({ length: count }, () => ({
    places: [] as { item: T; offset: number }[],
    size: 0,
  }));
  for (const item of items) {
    const plan = plans.reduce((least, other) => (other.size < least.size ? other : least));
    plan.places.push({ item, offset: plan.size });
    plan.size += Math.ceil(bytesOf(item) / alignment) * alignment;
  }
  return plans.filter(({ places }) => places.length > 0);
}

/** Sorting of many numbers by place. */

const BITS = 11;
const BUCKETS = 1 << BITS;

/**
 * The places of `values` from the smallest to the largest; equal ones keep their order, as in a stable
 * argsort. A radix sort over the bits of fp32, linear in their number; NaN of either sign has no fixed place.
 */
export function ascendingOrder(values: Float32Array): Uint32Array {
  const keys = Uint32Array.from(
    new Uint32Array(Float32Array.from(values, (v) => v + 0).buffer),
    rising,
  );
  let order = Uint32Array.from(values, (_, i) => i);
  let next = new Uint32Array(order.length);
  for (let shift = 0; shift < 32; shift += BITS) {
    const starts = new Uint32Array(BUCKETS + 1);
    for (const key of keys) starts[((key >>> shift) & (BUCKETS - 1)) + 1]++;
    for (let b = 1; b <= BUCKETS; b++) starts[b] += starts[b - 1];
    for (const place of order) next[starts[(keys[place] >>> shift) & (BUCKETS - 1)]++] = place;
    [order, next] = [next, order];
  }
  return order;
}

/** Bits of fp32 as an integer that rises with the number. */
const rising = (bits: number): number => bits ^ (bits >>> 31 ? 0xffffffff : 0x80000000);

/** Which pictures are trained together: batches of one bucket, drawn in a new order each epoch. */
import type { PythonRandom } from '../../sampling/noise/python-random.ts';

/** The numbers of the items of each bucket, in the order in which the buckets occur. */
export function inBuckets(bucketOfItem: readonly string[]): Map<string, number[]> {
  const buckets = new Map<string, number[]>();
  bucketOfItem.forEach((name, item) => {
    const known = buckets.get(name);
    if (known) known.push(item);
    else buckets.set(name, [item]);
  });
  return buckets;
}

/** Batches of item numbers: each bucket shuffled once and sliced; a short batch repeats its own items. */
export function sliceBuckets(
  bucketOfItem: readonly string[],
  batchSize: number,
  random: PythonRandom,
): number[][] {
  const shuffled = [...inBuckets(bucketOfItem).values()].map((items) => random.shuffled(items));
  return shuffled.flatMap((items) => slices(items, batchSize));
}

function slices(items: readonly number[], size: number): number[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => {
    const part = items.slice(i * size, (i + 1) * size);
    return Array.from({ length: size }, (_, k) => part[k % part.length]);
  });
}

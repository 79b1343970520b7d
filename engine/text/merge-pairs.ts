/** Byte-pair encoding's one step (Sennrich et al. 2016): neighbours become one piece, the best pair first. */
import { heapPop, heapPush } from '../heap.ts';

const less = (a: number, b: number): boolean => a < b;

/**
 * Merges neighbours until no pair has a rank: the lowest rank first, of equal ones the leftmost. Ranks are
 * integers from 0. A heap of candidate pairs over a linked list keeps long words (hostile ones) at n log n.
 */
export function mergePairs(
  pieces: readonly string[],
  rank: (left: string, right: string) => number | undefined,
): string[] {
  const count = pieces.length;
  const texts = [...pieces];
  const next = texts.map((_, i) => i + 1);
  const previous = texts.map((_, i) => i - 1);
  const gone = new Uint8Array(count);
  const heap: number[] = [];
  // Key: rank, then position, in one number.
  const offer = (left: number): void => {
    if (left < 0 || next[left] >= count) return;
    const found = rank(texts[left], texts[next[left]]);
    if (found !== undefined) heapPush(heap, found * 2 ** 32 + left, less);
  };
  for (let i = 0; i + 1 < count; i++) offer(i);
  while (heap.length > 0) {
    const key = heapPop(heap, less)!; // the heap is not empty
    const left = key % 2 ** 32;
    const right = next[left];
    // Stale: one of the two has been merged since.
    if (gone[left] || right >= count) continue;
    if (rank(texts[left], texts[right]) !== Math.floor(key / 2 ** 32)) continue;
    texts[left] += texts[right];
    gone[right] = 1;
    next[left] = next[right];
    if (next[left] < count) previous[next[left]] = left;
    offer(previous[left]);
    offer(left);
  }
  return texts.filter((_, i) => !gone[i]);
}

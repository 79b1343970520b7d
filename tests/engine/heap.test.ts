import { describe, expect, it } from 'vitest';
import { heapPop, heapPush, heapify } from '../../engine/heap.ts';

const less = (a: number, b: number): boolean => a < b;

// Arrays printed by CPython 3.11's heapq for the same calls.
describe('heap, element for element as heapq', () => {
  const numbers = [9, 4, 7, 1, 8, 2, 6, 3, 5, 0];

  it('pushes', () => {
    const heap: number[] = [];
    for (const n of numbers) heapPush(heap, n, less);
    expect(heap).toEqual([0, 1, 2, 4, 3, 7, 6, 9, 5, 8]);
  });

  it('heapifies', () => {
    const heap = [...numbers];
    heapify(heap, less);
    expect(heap).toEqual([0, 1, 2, 3, 4, 7, 6, 9, 5, 8]);
  });

  it('pops the smallest and leaves the same array', () => {
    const heap: number[] = [];
    for (const n of numbers) heapPush(heap, n, less);
    expect([heapPop(heap, less), heapPop(heap, less), heapPop(heap, less)]).toEqual([0, 1, 2]);
    expect(heap).toEqual([3, 4, 5, 9, 8, 7, 6]);
    const rest = heap.length;
    const order = Array.from({ length: rest + 1 }, () => heapPop(heap, less));
    expect(order).toEqual([3, 4, 5, 6, 7, 8, 9, undefined]);
  });
});

/**
 * A binary min-heap in a plain array, element for element as Python's heapq leaves it: GET /queue
 * shows that array, and clients have seen no other order.
 */
export type Less<T> = (a: T, b: T) => boolean;
/** Which of two equal children comes up: Python's heapq takes the right one, Pillow's heap the left one. */
export type Ties = 'left' | 'right';

/** Adds an item. */
export function heapPush<T>(heap: T[], item: T, less: Less<T>): void {
  heap.push(item);
  siftUp(heap, 0, heap.length - 1, less);
}

/** Takes the smallest item; undefined when there is none. */
export function heapPop<T>(heap: T[], less: Less<T>, ties: Ties = 'right'): T | undefined {
  const last = heap.pop();
  if (heap.length === 0 || last === undefined) return last;
  const smallest = heap[0];
  heap[0] = last;
  siftToLeaf(heap, 0, less, ties);
  return smallest;
}

/** Orders an array in place. */
export function heapify<T>(heap: T[], less: Less<T>): void {
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) siftToLeaf(heap, i, less, 'right');
}

/** Moves the item at `at` towards `top` while it is smaller than its parent. */
function siftUp<T>(heap: T[], top: number, at: number, less: Less<T>): void {
  const item = heap[at];
  while (at > top) {
    const parent = (at - 1) >> 1;
    if (!less(item, heap[parent])) break;
    heap[at] = heap[parent];
    at = parent;
  }
  heap[at] = item;
}

/**
 * Walks a hole from `top` down to a leaf along the smaller children, puts the item there and lets
 * it rise again: fewer comparisons than stopping early (Knuth, TAOCP 3, 5.2.3), and heapq's order.
 */
function siftToLeaf<T>(heap: T[], top: number, less: Less<T>, ties: Ties): void {
  const takesRight =
    ties === 'right'
      ? (left: T, right: T) => !less(left, right)
      : (left: T, right: T) => less(right, left);
  const item = heap[top];
  let at = top;
  for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
    const right = child + 1;
    if (right < heap.length && takesRight(heap[child], heap[right])) child = right;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = item;
  siftUp(heap, top, at, less);
}

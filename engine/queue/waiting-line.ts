/** The jobs that wait, in ComfyUI's order: by number, then by id. */
import { heapPop, heapPush, heapify } from '../heap.ts';

export interface WaitingJob {
  readonly id: string;
  /** Lower runs first. */
  readonly number: number;
}

export interface WaitingLine {
  add(job: WaitingJob): void;
  /** Takes out the job that runs next; undefined when nothing waits. */
  takeFirst(): WaitingJob | undefined;
  /** Takes out any job; false when it does not wait. One pass over the line. */
  takeOut(id: string): boolean;
  /** Takes out all of them. One pass over the line. */
  takeOutAll(ids: readonly string[]): void;
  has(id: string): boolean;
  length(): number;
  /** All ids in the order of the heap, which is the one that ComfyUI shows. */
  ids(): string[];
  /** Ids of the first `count` jobs in the order they will run. */
  first(count: number): string[];
  /** All jobs in the order they will run. */
  inOrder(): WaitingJob[];
  /** How many jobs run before this one; undefined when it does not wait. One pass over the line. */
  position(id: string): number | undefined;
}

const less = (a: WaitingJob, b: WaitingJob): boolean =>
  a.number !== b.number ? a.number < b.number : a.id < b.id;

/** A line of these jobs. */
export function createWaitingLine(jobs: readonly WaitingJob[]): WaitingLine {
  const heap = [...jobs];
  heapify(heap, less);
  const inOrder = (): WaitingJob[] => [...heap].sort((a, b) => (less(a, b) ? -1 : 1));
  const ids = new Set(heap.map(({ id }) => id));
  return {
    add: (job) => {
      heapPush(heap, job, less);
      ids.add(job.id);
    },
    takeFirst: () => {
      const job = heapPop(heap, less);
      if (job !== undefined) ids.delete(job.id);
      return job;
    },
    takeOut: (id) => {
      if (!ids.delete(id)) return false;
      heap.splice(
        heap.findIndex((job) => job.id === id),
        1,
      );
      heapify(heap, less);
      return true;
    },
    takeOutAll: (gone) => {
      for (const id of gone) ids.delete(id);
      const kept = heap.filter(({ id }) => ids.has(id));
      heap.length = 0;
      for (const job of kept) heap.push(job);
      heapify(heap, less);
    },
    has: (id) => ids.has(id),
    length: () => heap.length,
    ids: () => heap.map(({ id }) => id),
    first: (count) =>
      inOrder()
        .slice(0, count)
        .map(({ id }) => id),
    inOrder,
    position: (id) => {
      const job = ids.has(id) ? heap.find((other) => other.id === id) : undefined;
      if (job === undefined) return undefined;
      return heap.reduce((before, other) => before + Number(less(other, job)), 0);
    },
  };
}

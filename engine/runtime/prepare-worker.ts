/** A thread that rewrites weights: takes pieces off a shared counter until none is left. */
import { closeSync, openSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { type PreparePiece, type PrepareTask, pieceWorker } from '../weights/prepare.ts';

export interface PrepareJob {
  readonly tasks: readonly PrepareTask[];
  readonly pieces: readonly PreparePiece[];
  /** Path of the file to fill. */
  readonly target: string;
  /** The next piece to do; shared by all threads of the job. */
  readonly counter: Int32Array;
}

/** Does pieces of a job until all are taken. */
export function runJob({ tasks, pieces, target, counter }: PrepareJob): void {
  const files = new Map<string, number>();
  const open = (path: string): number => {
    const known = files.get(path) ?? openSync(path, 'r');
    files.set(path, known);
    return known;
  };
  const file = openSync(target, 'r+');
  const work = pieceWorker(file, open);
  try {
    for (;;) {
      const index = Atomics.add(counter, 0, 1);
      if (index >= pieces.length) break;
      work(tasks[pieces[index].task], pieces[index]);
    }
  } finally {
    closeSync(file);
    for (const opened of files.values()) closeSync(opened);
  }
}

if (workerData !== null) runJob(workerData as PrepareJob);

/**
 * Threads that fill files of prepared weights, one file each. A thread takes as long to start as a large program to
 * be lowered, so that they may be started before there is anything to do.
 */
import type { Worker } from 'node:worker_threads';
import { startThread } from '../threads.ts';
import type { PrepareJob } from './prepare-worker.ts';

export interface PrepareThreads {
  /** Sees to it that so many threads wait for a job. */
  readonly start: (count: number) => void;
  /** Does the job in a thread that waits, or in a new one. Throws what went wrong in it. */
  readonly run: (job: PrepareJob) => Promise<void>;
  /** Ends the threads that wait. */
  readonly dismiss: () => void;
}

interface Thread {
  readonly worker: Worker;
  /** Resolves when the thread has done its job; rejects when it failed. */
  readonly ended: Promise<void>;
}

/** No thread runs yet. */
export function createPrepareThreads(): PrepareThreads {
  const waiting: Thread[] = [];
  return {
    start: (count) => {
      while (waiting.length < count) waiting.push(startWaiting());
    },
    run: ({ target, tasks }) => {
      const { worker, ended } = waiting.pop() ?? startWaiting();
      worker.ref();
      worker.postMessage({ target, tasks } satisfies PrepareJob);
      return ended;
    },
    dismiss: () => {
      for (const { worker } of waiting.splice(0)) void worker.terminate();
    },
  };
}

/** A thread without a job does not keep the process alive. */
function startWaiting(): Thread {
  const worker = startThread(import.meta.resolve('./prepare-worker.ts'));
  const ended = new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`exit ${code}`))));
  });
  ended.catch(() => undefined); // whoever gives it a job hears of it
  worker.unref();
  return { worker, ended };
}

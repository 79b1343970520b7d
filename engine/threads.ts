/** Processes and threads that run a TypeScript file: a fresh one has no loader for it, whatever this one has. */
import { Worker } from 'node:worker_threads';

/** The module that lets a process or thread read our sources; see there. */
export const TYPESCRIPT = new URL('../bin/typescript.js', import.meta.url).href;

/** Starts the file at `url` (of `import.meta.resolve`) in a thread of its own, with `data` as its workerData. */
export function startThread(url: string, data?: unknown): Worker {
  // A path may hold quotes.
  const script = `import ${JSON.stringify(TYPESCRIPT)};\nawait import(${JSON.stringify(url)});`;
  const entry = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
  return new Worker(entry, { workerData: data, execArgv: [] });
}

/** Waits for all, also after one failed: nobody works any more when this is over. Throws what the first one threw. */
export async function finishAll(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find(({ status }) => status === 'rejected');
  if (failed) throw (failed as PromiseRejectedResult).reason;
}

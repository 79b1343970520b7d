/** Threads that run a TypeScript file: a fresh one has no loader for it, whatever this one has. */
import { Worker } from 'node:worker_threads';

/** Starts the file at `url` (of `import.meta.resolve`) in a thread of its own, with `data` as its workerData. */
export function startThread(url: string, data?: unknown): Worker {
  const script = [
    `import { register } from '${import.meta.resolve('tsx/esm/api')}';`,
    'register();',
    `await import('${url}');`,
  ].join('\n');
  const entry = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
  return new Worker(entry, { workerData: data, execArgv: [] });
}

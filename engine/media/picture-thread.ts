/**
 * Decoding of other people's pictures for the server, in a thread of its own: a small file can ask
 * for gigabytes and seconds, which must cost neither the server's thread nor more than once at a
 * time.
 */
import type { Worker } from 'node:worker_threads';
import { type ErrorCode, NoodleError } from '../errors.ts';
import { startThread } from '../threads.ts';
import { badImage } from './limits.ts';
import type { ViewOptions } from './view-transform.ts';

/** A picture file: where it lies, or its bytes. */
export type PictureSource = string | Uint8Array;

/** A request to the thread. */
export type PictureTask =
  | { readonly kind: 'view'; readonly picture: PictureSource; readonly options: ViewOptions }
  | { readonly kind: 'mask'; readonly original: PictureSource; readonly upload: Uint8Array };

/** What the thread answers. */
export type PictureAnswer =
  | { readonly bytes: Uint8Array; readonly mime: string }
  | { readonly code: ErrorCode; readonly details: Record<string, unknown> }
  | { readonly error: Error };

export interface Pictures {
  /** `viewTransform` of a file; throws IMAGE_FILE, also when `signal` is aborted before its turn. */
  view(
    picture: PictureSource,
    options: ViewOptions,
    signal?: AbortSignal,
  ): Promise<{ bytes: Uint8Array; mime: string }>;
  /** `mergeMask` of a file and an upload; throws IMAGE_FILE. */
  mergeMask(original: PictureSource, upload: Uint8Array): Promise<Uint8Array>;
}

export interface PictureOptions {
  /** Milliseconds that one picture may take. */
  readonly timeout?: number;
  /** Milliseconds without work after which the thread ends and gives its memory back. */
  readonly idle?: number;
}

interface Pending {
  readonly task: PictureTask;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: { bytes: Uint8Array; mime: string }) => void;
  readonly reject: (error: Error) => void;
}

/** Pictures in a thread that starts with the first and ends when none came for a while. */
export function createPictures({ timeout = 60_000, idle = 30_000 }: PictureOptions = {}): Pictures {
  const waiting: Pending[] = [];
  let current: Pending | undefined;
  let worker: Worker | undefined;
  let timer: NodeJS.Timeout | undefined;

  const next = (): void => {
    clearTimeout(timer);
    // Nobody waits any more for what was scrolled past.
    while (waiting[0]?.signal?.aborted) waiting.shift()?.reject(badImage('nobody waits for it'));
    current = waiting.shift();
    if (current === undefined) {
      timer = setTimeout(end, idle).unref();
      worker?.unref();
      return;
    }
    worker ??= launch();
    worker.ref();
    timer = setTimeout(() => {
      settle(undefined, badImage(`it takes longer than ${timeout / 1000} s`));
      end();
      next();
    }, timeout);
    worker.postMessage(current.task);
  };

  const settle = (answer: PictureAnswer | undefined, failure?: Error): void => {
    const { resolve, reject } = current ?? {};
    current = undefined;
    if (answer !== undefined && 'bytes' in answer) resolve?.(answer);
    else if (answer !== undefined && 'code' in answer) {
      reject?.(NoodleError.received(answer.code, answer.details));
    } else reject?.(failure ?? (answer as { error: Error }).error);
  };

  const launch = (): Worker => {
    const started = startThread(import.meta.resolve('./picture-worker.ts'));
    started.on('message', (answer: PictureAnswer) => {
      settle(answer);
      next();
    });
    // Out of memory, for one; the next picture gets a new thread.
    started.on('error', (cause) => settle(undefined, badImage(cause)));
    started.on('exit', () => {
      // One that was ended on purpose has nothing to say about the next picture.
      if (worker !== started) return;
      worker = undefined;
      if (current !== undefined) settle(undefined, badImage('it ended the thread that decoded it'));
      next();
    });
    return started;
  };

  const end = (): void => {
    const ending = worker;
    worker = undefined;
    void ending?.terminate();
  };

  const run = (
    task: PictureTask,
    signal?: AbortSignal,
  ): Promise<{ bytes: Uint8Array; mime: string }> =>
    new Promise((resolve, reject) => {
      waiting.push({ task, signal, resolve, reject });
      if (current === undefined) next();
    });

  return {
    view: (picture, options, signal) => run({ kind: 'view', picture, options }, signal),
    mergeMask: async (original, upload) => (await run({ kind: 'mask', original, upload })).bytes,
  };
}

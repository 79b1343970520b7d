/**
 * The assets as the server sees them. Database, scans and hashing live in a thread of their own that
 * starts with the first request: the server's thread never waits for a disk.
 */
import type { Worker } from 'node:worker_threads';
import { type ErrorCode, NoodleError } from '../errors.ts';
import type { Log } from '../log.ts';
import { startThread } from '../threads.ts';
import type { AssetOperations, AssetSettings } from './operations.ts';

type Operation = keyof AssetOperations;
type Arguments<K extends Operation> = Parameters<AssetOperations[K]>;
type Result<K extends Operation> = Awaited<ReturnType<AssetOperations[K]>>;

/** A request to the thread. */
export interface ToAssets {
  readonly id: number;
  readonly operation: Operation;
  readonly args: unknown[];
}

/** What the thread says. */
export type FromAssets =
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | {
      readonly kind: 'refusal';
      readonly id: number;
      readonly code: ErrorCode;
      readonly details: Record<string, unknown>;
    }
  | { readonly kind: 'failure'; readonly id: number; readonly error: Error }
  /** An `assets.seed.*` message for everybody; `data` is JSON text. */
  | { readonly kind: 'event'; readonly type: string; readonly data: string };

export interface Assets {
  /** Runs an operation in the thread; requests reach it in the order they are made. */
  readonly call: <K extends Operation>(operation: K, ...args: Arguments<K>) => Promise<Result<K>>;
  /** Whether the thread was needed so far. */
  isRunning(): boolean;
  stop(): Promise<void>;
}

export interface AssetOptions extends AssetSettings {
  readonly onEvent: (type: string, data: string) => void;
  readonly log: Log;
}

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** How long the thread gets to end what it is doing. */
const GRACE = 3000;

/** The assets of an installation; nothing runs before the first call. */
export function createAssets({ onEvent, log, ...settings }: AssetOptions): Assets {
  let worker: Worker | undefined;
  let stopped = false;
  let nextId = 0;
  const pending = new Map<number, Pending>();

  const receive = (message: FromAssets): void => {
    if (message.kind === 'event') return onEvent(message.type, message.data);
    const request = pending.get(message.id);
    pending.delete(message.id);
    if (pending.size === 0) worker?.unref();
    if (message.kind === 'result') request?.resolve(message.result as never);
    else if (message.kind === 'failure') request?.reject(message.error);
    else request?.reject(new NoodleError(message.code, message.details));
  };

  const launch = (): Worker => {
    const started = startThread(import.meta.resolve('./worker.ts'), settings);
    started.on('message', receive);
    started.on('error', (error: Error) => log('ERROR', `assets: ${error.stack ?? error.message}`));
    started.on('exit', (code) => {
      worker = undefined;
      const requests = [...pending.values()];
      pending.clear();
      for (const { reject } of requests) reject(new Error(`the assets' thread ended (${code})`));
    });
    return started;
  };

  const call: Assets['call'] = (operation, ...args) =>
    new Promise((resolve, reject) => {
      if (stopped) throw new Error('the server is ending');
      worker ??= launch();
      worker.ref();
      const id = nextId++;
      pending.set(id, { resolve, reject });
      worker.postMessage({ id, operation, args } satisfies ToAssets);
    });

  return {
    call,
    isRunning: () => worker !== undefined,
    stop: async () => {
      const last = worker;
      const closed = last === undefined ? undefined : call('close').catch(() => undefined);
      stopped = true;
      if (last === undefined) return;
      const timer = setTimeout(() => void last.terminate(), GRACE);
      await closed;
      clearTimeout(timer);
      await last.terminate();
    },
  };
}

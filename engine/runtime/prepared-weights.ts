/**
 * Weights rewritten for the models of this process: a file in memory (or in the temporary folder)
 * that sessions map. Sessions that read the same weights in the same layout share one file.
 */
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { open, readdir, rm, statfs } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { WeightInitializer } from '../onnx/model.ts';
import { type PrepareTask, cutTasks, preparedSize } from '../weights/prepare.ts';
import { type PrepareJob, runJob } from './prepare-worker.ts';

/** A file of prepared weights; it goes when the last session that uses it was released. */
export interface PreparedFile {
  readonly path: string;
  /** Position of a weight; undefined for weights that are used where they are stored. */
  readonly offsetOf: (weight: WeightInitializer) => number | undefined;
  readonly release: () => Promise<void>;
}

export interface PreparedWeights {
  /** The file for these weights, made now or shared; undefined when all can be used as stored. */
  acquire(weights: readonly WeightInitializer[]): Promise<PreparedFile | undefined>;
}

interface Shared {
  readonly file: Promise<{ readonly path: string; readonly offsets: ReadonlyMap<string, number> }>;
  users: number;
}

/** Alignment of tensors in the file: a cache line, as vector loads like it. */
const alignment = 64;
/** Below this many elements the calling thread does the work: starting others takes longer. */
const threadsFrom = 1 << 24;
const filePrefix = 'noodle-weights-';

/** A store without files; `threads` share the work of one model. */
export function createPreparedWeights({
  threads = availableParallelism(),
}: { threads?: number } = {}): PreparedWeights {
  const files = new Map<string, Shared>();
  return {
    acquire: async (weights) => {
      const { tasks, offsets, size } = plan(weights);
      if (tasks.length === 0) return undefined;
      const key = fingerprint(tasks);
      const shared = files.get(key) ?? { file: make(tasks, offsets, size, threads), users: 0 };
      files.set(key, shared);
      shared.users++;
      const release = async (): Promise<void> => {
        if (--shared.users > 0) return;
        files.delete(key);
        await shared.file.then(({ path }) => discard(path));
      };
      try {
        const { path } = await shared.file;
        return { path, offsetOf: ({ name }) => offsets.get(name), release };
      } catch (error) {
        files.delete(key);
        throw error;
      }
    },
  };
}

/**
 * Whether a weight cannot be used where and as it is stored: in another layout, too large to be put
 * inside the model, or on another drive than the prepared ones (all must lie under one folder).
 */
function needsPreparing({ entry, layout }: WeightInitializer): boolean {
  if (layout.kind !== 'stored') return true;
  return entry.bytes.kind === 'memory'
    ? entry.byteLength > 4096
    : parse(entry.bytes.path).root !== parse(tmpdir()).root;
}

function plan(weights: readonly WeightInitializer[]): {
  tasks: PrepareTask[];
  offsets: Map<string, number>;
  size: number;
} {
  const tasks: PrepareTask[] = [];
  const offsets = new Map<string, number>();
  let size = 0;
  for (const weight of weights) {
    if (!needsPreparing(weight)) continue;
    const { entry, shape, layout } = weight;
    offsets.set(weight.name, size);
    tasks.push({ dtype: entry.dtype, shape, bytes: entry.bytes, layout, target: size });
    size += Math.ceil(preparedSize({ dtype: entry.dtype, shape, layout }) / alignment) * alignment;
  }
  return { tasks, offsets, size };
}

/** Names what a file holds: every tensor's origin, layout and place. Memory is told apart by object. */
function fingerprint(tasks: readonly PrepareTask[]): string {
  const hash = createHash('sha256');
  for (const { bytes, dtype, shape, layout } of tasks) {
    const origin =
      bytes.kind === 'file' ? `${bytes.identity}@${bytes.offset}` : memoryId(bytes.bytes);
    hash.update(JSON.stringify([origin, dtype, shape, layout]));
  }
  return hash.digest('hex');
}

const memoryIds = new WeakMap<Uint8Array, number>();
let nextMemoryId = 0;

function memoryId(bytes: Uint8Array): string {
  let id = memoryIds.get(bytes);
  if (id === undefined) memoryIds.set(bytes, (id = nextMemoryId++));
  return `memory:${id}`;
}

async function make(
  tasks: readonly PrepareTask[],
  offsets: ReadonlyMap<string, number>,
  size: number,
  threads: number,
): ReturnType<() => Shared['file']> {
  const path = await newFile(size);
  try {
    const pieces = cutTasks(tasks);
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const job: PrepareJob = { tasks, pieces, target: path, counter };
    const count = Math.min(threads, pieces.length);
    if (size / 4 < threadsFrom || count < 2) runJob(job);
    else await Promise.all(Array.from({ length: count }, () => runInThread(job)));
    return { path, offsets };
  } catch (error) {
    await discard(path);
    throw error;
  }
}

/** Runs the job in a thread of its own, which needs the TypeScript loader that this one has. */
function runInThread(job: PrepareJob): Promise<void> {
  const script = [
    `import { register } from '${import.meta.resolve('tsx/esm/api')}';`,
    'register();',
    `await import('${import.meta.resolve('./prepare-worker.ts')}');`,
  ].join('\n');
  const url = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
  const worker = new Worker(url, { workerData: job, execArgv: [] });
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}

const ownFiles = new Set<string>();
let folderSwept = false;

/** An empty file of `size` bytes in memory where there is room, else in the temporary folder. */
async function newFile(size: number): Promise<string> {
  const folder = (await hasRoom('/dev/shm', size)) ? '/dev/shm' : tmpdir();
  if (!folderSwept) {
    folderSwept = true;
    process.once('exit', () => ownFiles.forEach((path) => rmSync(path, { force: true })));
    await sweep(folder);
  }
  const path = join(folder, `${filePrefix}${process.pid}-${nextMemoryId++}`);
  ownFiles.add(path);
  const handle = await open(path, 'wx', 0o600);
  await handle.truncate(size);
  await handle.close();
  return path;
}

async function hasRoom(folder: string, size: number): Promise<boolean> {
  if (!existsSync(folder)) return false;
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize > size * 1.1;
}

/** Removes files of processes that ended without doing it themselves. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = name.startsWith(filePrefix) ? Number.parseInt(name.slice(filePrefix.length)) : NaN;
    if (!Number.isNaN(pid) && !isRunning(pid)) await rm(join(folder, name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function discard(path: string): Promise<void> {
  ownFiles.delete(path);
  await rm(path, { force: true });
}

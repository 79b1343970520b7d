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
import { type PrepareTask, prepareFile, preparedSize } from '../weights/prepare.ts';
import type { PrepareJob } from './prepare-worker.ts';

/** Prepared weights of one model; their files go when the last session that uses them was released. */
export interface PreparedFiles {
  /** Where a weight lies; undefined for weights that are used where they are stored. */
  readonly find: (weight: WeightInitializer) => FilePosition | undefined;
  readonly release: () => Promise<void>;
}

export interface FilePosition {
  readonly path: string;
  readonly offset: number;
}

export interface PreparedWeights {
  /** These weights, prepared now or shared with another session. */
  readonly acquire: (weights: readonly WeightInitializer[]) => Promise<PreparedFiles>;
}

interface Shared {
  readonly positions: Promise<ReadonlyMap<string, FilePosition>>;
  users: number;
}

/** One file to fill: a thread of its own per file, as writers of one file wait for each other. */
interface FilePlan {
  readonly names: string[];
  readonly tasks: PrepareTask[];
  size: number;
}

/** Alignment of tensors in a file: a cache line, as vector loads like it. */
const alignment = 64;
/** Below this many bytes the calling thread does the work: starting others takes longer. */
const threadsFrom = 1 << 26;
const filePrefix = 'noodle-weights-';

/** A store without files; up to `threads` threads prepare a model's weights. */
export function createPreparedWeights({
  threads = availableParallelism(),
}: { threads?: number } = {}): PreparedWeights {
  const known = new Map<string, Shared>();
  return {
    acquire: async (weights) => {
      const needed = weights.filter(needsPreparing);
      const key = fingerprint(needed);
      const shared = known.get(key) ?? { positions: prepare(needed, threads), users: 0 };
      known.set(key, shared);
      shared.users++;
      const release = async (): Promise<void> => {
        if (--shared.users > 0) return;
        known.delete(key);
        const paths = new Set([...(await shared.positions).values()].map(({ path }) => path));
        for (const path of paths) await discard(path);
      };
      try {
        const positions = await shared.positions;
        return { find: ({ name }) => positions.get(name), release };
      } catch (error) {
        known.delete(key);
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

/** Names a set of prepared weights: every tensor's name, origin and layout. */
function fingerprint(weights: readonly WeightInitializer[]): string {
  const hash = createHash('sha256');
  for (const { name, entry, shape, layout } of weights) {
    const { bytes, dtype } = entry;
    const origin =
      bytes.kind === 'file' ? `${bytes.identity}@${bytes.offset}` : memoryId(bytes.bytes);
    hash.update(JSON.stringify([name, origin, dtype, shape, layout]));
  }
  return hash.digest('hex');
}

async function prepare(
  weights: readonly WeightInitializer[],
  threads: number,
): Promise<ReadonlyMap<string, FilePosition>> {
  const total = weights.reduce((sum, weight) => sum + preparedSize(sizeOf(weight)), 0);
  // what lies in memory would have to be copied to another thread first
  const inFiles = weights.filter(({ entry }) => entry.bytes.kind === 'file');
  const inMemory = weights.filter(({ entry }) => entry.bytes.kind === 'memory');
  const shared = total < threadsFrom ? [] : planFiles(inFiles, threads);
  const own = planFiles(shared.length > 0 ? inMemory : weights, 1);
  const positions = new Map<string, FilePosition>();
  const paths: string[] = [];
  try {
    const jobs: PrepareJob[] = [];
    for (const { names, tasks, size } of [...shared, ...own]) {
      const target = await newFile(size, total);
      paths.push(target);
      jobs.push({ target, tasks });
      tasks.forEach((task, i) => positions.set(names[i], { path: target, offset: task.target }));
    }
    const running = jobs.slice(0, shared.length).map(runInThread);
    const local = async (): Promise<void> => {
      for (const { target, tasks } of jobs.slice(shared.length)) prepareFile(target, tasks);
    };
    await Promise.all([...running, local()]);
    return positions;
  } catch (error) {
    for (const path of paths) await discard(path);
    throw error;
  }
}

/** Spreads weights over at most `count` files of about the same size. */
function planFiles(weights: readonly WeightInitializer[], count: number): FilePlan[] {
  const plans = Array.from({ length: count }, (): FilePlan => ({ names: [], tasks: [], size: 0 }));
  for (const weight of weights) {
    const plan = plans.reduce((least, other) => (other.size < least.size ? other : least));
    const { name, entry, shape, layout } = weight;
    plan.names.push(name);
    plan.tasks.push({ dtype: entry.dtype, shape, bytes: entry.bytes, layout, target: plan.size });
    plan.size += Math.ceil(preparedSize(sizeOf(weight)) / alignment) * alignment;
  }
  return plans.filter(({ tasks }) => tasks.length > 0);
}

const sizeOf = ({
  entry,
  shape,
  layout,
}: WeightInitializer): Parameters<typeof preparedSize>[0] => ({
  dtype: entry.dtype,
  shape,
  layout,
});

const memoryIds = new WeakMap<Uint8Array, number>();
let nextMemoryId = 0;

function memoryId(bytes: Uint8Array): string {
  let id = memoryIds.get(bytes);
  if (id === undefined) memoryIds.set(bytes, (id = nextMemoryId++));
  return `memory:${id}`;
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
    worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`exit ${code}`))));
  });
}

const ownFiles = new Set<string>();
let folderSwept = false;

/** A file of `size` bytes, in memory where `total` bytes have room, else in the temporary folder. */
async function newFile(size: number, total: number): Promise<string> {
  const folder = (await hasRoom('/dev/shm', total)) ? '/dev/shm' : tmpdir();
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

/**
 * Weights rewritten for the models of this process: a file in memory (or in the temporary folder)
 * that sessions map. Sessions that read the same weights in the same layout share one file.
 */
import { availableParallelism, tmpdir } from 'node:os';
import { parse } from 'node:path';
import type { WeightInitializer } from '../onnx/model.ts';
import { finishAll } from '../threads.ts';
import { storageOf } from '../weights/dtypes.ts';
import { type WeightEntry, memoryOf } from '../weights/source.ts';
import { layoutSize, partOffset, wholeLayout } from '../weights/layout.ts';
import { type PrepareTask, prepareFile } from '../weights/prepare.ts';
import { spreadOverFiles, threadsFrom } from './file-plan.ts';
import { type PrepareThreads, createPrepareThreads } from './prepare-threads.ts';
import type { PrepareJob } from './prepare-worker.ts';
import { discard, filledFiles, preparedFolders } from './weight-files.ts';

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
  /** Hears that a model of these weights will be opened as soon as it is lowered: threads start meanwhile. */
  readonly expect: (entries: readonly WeightEntry[]) => void;
  /** These weights, prepared now or shared with another session. */
  readonly acquire: (weights: readonly WeightInitializer[]) => Promise<PreparedFiles>;
}

/** Weights that were prepared together, and how many sessions use some of them. */
interface Batch {
  readonly positions: Promise<ReadonlyMap<string, FilePosition>>;
  readonly keys: readonly string[];
  users: number;
}

/** One file to fill: a thread of its own per file, as writers of one file wait for each other. */
interface FilePlan {
  readonly keys: readonly string[];
  readonly tasks: readonly PrepareTask[];
  readonly size: number;
}

/** A store without files; up to `threads` threads prepare a model's weights, in the first of `folders` with room. */
export function createPreparedWeights({
  threads = availableParallelism(),
  folders = preparedFolders(),
}: { threads?: number; folders?: readonly string[] } = {}): PreparedWeights {
  const known = new Map<string, Batch>();
  const pool = createPrepareThreads();
  const prepareMissing = (weights: readonly WeightInitializer[]): void => {
    const missing = weights.filter(
      (weight) => weight.layout === wholeLayout(weight.layout) && !known.has(keyOf(weight)),
    );
    if (missing.length === 0) {
      pool.dismiss();
      return;
    }
    const positions = prepare(missing, { threads, folders, pool });
    const batch: Batch = { positions, keys: missing.map(keyOf), users: 0 };
    for (const key of batch.keys) known.set(key, batch);
  };
  const release = async (batches: Iterable<Batch>): Promise<void> => {
    for (const batch of batches) {
      if (--batch.users > 0) continue;
      for (const key of batch.keys) known.delete(key);
      const positions = await batch.positions.catch(() => new Map<string, FilePosition>());
      for (const path of new Set([...positions.values()].map((place) => place.path))) {
        await discard(path);
      }
    }
  };
  return {
    expect: (entries) => {
      const there = new Set(Array.from(known.keys(), originIn));
      const bytes = entries
        .filter((entry) => entry.bytes.kind === 'file' && !there.has(originOf(entry)))
        .reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (bytes >= threadsFrom) pool.start(threads);
    },
    acquire: async (weights) => {
      const needed = weights.filter(needsPreparing);
      prepareMissing(needed);
      const batches = new Set(needed.map((weight) => known.get(keyOf(weight))!));
      for (const batch of batches) batch.users++;
      try {
        const all = await Promise.all([...batches].map(({ positions }) => positions));
        const find = (weight: WeightInitializer): FilePosition | undefined => {
          const key = keyOf(weight);
          const place = all.find((positions) => positions.has(key))?.get(key);
          const offset = partOffset(weight.layout, weight.stored);
          return place && { ...place, offset: place.offset + offset };
        };
        return { find, release: () => release(batches) };
      } catch (error) {
        await release(batches);
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
  return entry.bytes.kind === 'file'
    ? parse(entry.bytes.path).root !== parse(tmpdir()).root
    : entry.byteLength > 4096;
}

/**
 * Names a prepared weight by where its bytes come from and how they lie afterwards. What steps are worth is
 * prepared with the weight in these steps.
 */
function keyOf({ entry, stored, layout }: WeightInitializer): string {
  const { dtype, scales } = entry;
  const { by, all, ...how } = scales ?? {};
  const scaled = [by, all].map((scale) => scale && originOf(scale));
  return JSON.stringify([originOf(entry), dtype, stored, wholeLayout(layout), how, ...scaled]);
}

const originIn = (key: string): string => (JSON.parse(key) as [string])[0];

function originOf(entry: WeightEntry): string {
  const { bytes } = entry;
  return bytes.kind === 'file' ? `${bytes.identity}@${bytes.offset}` : memoryId(memoryOf(entry));
}

async function prepare(
  weights: readonly WeightInitializer[],
  {
    threads,
    folders,
    pool,
  }: {
    readonly threads: number;
    readonly folders: readonly string[];
    readonly pool: PrepareThreads;
  },
): Promise<ReadonlyMap<string, FilePosition>> {
  const total = weights.reduce((sum, weight) => sum + preparedSize(weight), 0);
  // what lies in memory would have to be copied to another thread first
  const inFiles = weights.filter(({ entry }) => entry.bytes.kind === 'file');
  const inMemory = weights.filter(({ entry }) => entry.bytes.kind === 'memory');
  const shared = total < threadsFrom ? [] : planFiles(inFiles, threads);
  const own = planFiles(shared.length > 0 ? inMemory : weights, 1);
  const plans = [...shared, ...own];
  const sizes = plans.map(({ size }) => size);
  const paths = await filledFiles(sizes, folders, async (made) => {
    const jobs = plans.map(({ tasks }, i): PrepareJob => ({ target: made[i], tasks }));
    const running = jobs.slice(0, shared.length).map(pool.run);
    const local = async (): Promise<void> => {
      for (const { target, tasks } of jobs.slice(shared.length)) prepareFile(target, tasks);
    };
    await finishAll([...running, local()]);
  }).finally(pool.dismiss);
  const positions = new Map<string, FilePosition>();
  plans.forEach(({ keys, tasks }, i) => {
    tasks.forEach(({ target }, k) => positions.set(keys[k], { path: paths[i], offset: target }));
  });
  return positions;
}

/** Spreads weights over at most `count` files of about the same size. */
const planFiles = (weights: readonly WeightInitializer[], count: number): FilePlan[] =>
  spreadOverFiles(weights, preparedSize, count).map(({ places, size }) => ({
    keys: places.map(({ item }) => keyOf(item)),
    tasks: places.map(({ item: { entry, stored, layout }, offset }) => ({
      dtype: storageOf(entry).storage,
      shape: stored,
      bytes: entry.bytes,
      scales: entry.scales,
      layout,
      target: offset,
    })),
    size,
  }));

/** Bytes that a weight takes once it was rewritten. */
export const preparedSize = ({ entry, stored, layout }: WeightInitializer): number =>
  layoutSize(layout, storageOf(entry).dtype, stored);

const memoryIds = new WeakMap<Uint8Array, number>();
let nextMemoryId = 0;

function memoryId(bytes: Uint8Array): string {
  let id = memoryIds.get(bytes);
  if (id === undefined) memoryIds.set(bytes, (id = nextMemoryId++));
  return `memory:${id}`;
}

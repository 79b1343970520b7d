/**
 * Computed weights (merged models) in a file, where sessions can map them. It lies in the temporary
 * folder, so that the system may take its memory back, and goes with the source.
 */
import { open, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { NoodleError } from '../errors.ts';
import { finishAll, startThread } from '../threads.ts';
import { readBytes } from '../weights/read.ts';
import { recipeOf } from '../weights/recipe.ts';
import { type Recipe, type WeightEntry, type WeightSource, identityOf } from '../weights/source.ts';
import { writeAll } from '../weights/write-bytes.ts';
import type { ComputeJob } from './compute-worker.ts';
import { type FilePlan, spreadOverFiles, threadsFrom } from './file-plan.ts';
import { discard, diskFolders, filledFiles } from './weight-files.ts';

/** By identity, as long as anybody holds what was stored: a file that is loaded again is not computed again. */
const known = new Map<string, WeakRef<WeightSource>>();
const pending = new Map<string, Promise<WeightSource>>();
/** What was stored of a source is there as long as that is. */
const held = new WeakMap<WeightSource, WeightSource>();
const left = new FinalizationRegistry<Left>(({ identity, paths }) => {
  if (known.get(identity)?.deref() === undefined) known.delete(identity);
  for (const path of paths) void discard(path);
});

/** What a stored source leaves behind. */
interface Left {
  readonly identity: string;
  readonly paths: readonly string[];
}

export interface StoreRun {
  readonly signal?: AbortSignal | undefined;
  /** Hears how many bytes of all are computed. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

/**
 * The source with its computed weights in a file, written once for an identity; the source itself when it has
 * none. Large ones are computed in threads. Throws INTERRUPTED when the signal is aborted on the way, and what
 * computing and writing throw.
 */
export async function storedSource(
  source: WeightSource,
  run: StoreRun = {},
): Promise<WeightSource> {
  const { identity } = source;
  let stored = held.get(source) ?? known.get(identity)?.deref();
  if (!stored) {
    const computed = [...source.tensors].filter(([, { bytes }]) => bytes.kind === 'computed');
    stored = computed.length === 0 ? source : await storedOnce(source, computed, run);
  }
  held.set(source, stored);
  return stored;
}

/** One at a time for an identity. */
function storedOnce(
  source: WeightSource,
  computed: readonly Computed[],
  run: StoreRun,
): Promise<WeightSource> {
  const { identity } = source;
  const running = pending.get(identity);
  if (running) return running;
  const made = store(source, computed, run).finally(() => pending.delete(identity));
  pending.set(identity, made);
  return made;
}

async function store(
  source: WeightSource,
  computed: readonly Computed[],
  run: StoreRun,
): Promise<WeightSource> {
  const total = computed.reduce((sum, [, { byteLength }]) => sum + byteLength, 0);
  let done = 0;
  const told = (bytes: number): void => run.progress?.((done += bytes), total);
  const plans = planFiles(computed);
  const sizes = plans.map(({ size }) => size);
  let tensors: WeightSource['tensors'] = source.tensors;
  const paths = await filledFiles(sizes, diskFolders(), async (made) => {
    const files = plans.map((plan, i) => ({ ...plan, path: made[i] }));
    await finishAll(
      files.map((file) =>
        file.threaded ? inThread(file, told, run.signal) : here(file, told, run.signal),
      ),
    );
    tensors = await inFiles(source, files);
  });
  const stored = { ...source, tensors };
  known.set(source.identity, new WeakRef(stored));
  left.register(stored, { identity: source.identity, paths });
  return stored;
}

/** The source's tensors, those that were computed where they lie now. */
async function inFiles(
  source: WeightSource,
  files: readonly StoredFile[],
): Promise<Map<string, WeightEntry>> {
  const tensors = new Map<string, WeightEntry>(source.tensors);
  for (const { path, places } of files) {
    const identity = identityOf(path, await stat(path, { bigint: true }));
    for (const { item, offset } of places) {
      const [key, entry] = item;
      tensors.set(key, { ...entry, bytes: { kind: 'file', path, offset, identity } });
    }
  }
  return tensors;
}

/** Which weights come into one file, and who computes them. */
interface WeightsPlan extends FilePlan<Computed> {
  readonly threaded: boolean;
}

type Computed = readonly [key: string, entry: WeightEntry];
type StoredFile = WeightsPlan & { readonly path: string };

const bytesOf = ([, { byteLength }]: Computed): number => byteLength;

/** What others can compute goes to as many threads as there are processors, the rest stays here. */
function planFiles(computed: readonly Computed[]): WeightsPlan[] {
  const movable = computed.filter(([, entry]) => isInFiles(recipeOf(entry)));
  const bytes = movable.reduce((sum, weight) => sum + bytesOf(weight), 0);
  const shared = new Set(bytes < threadsFrom ? [] : movable);
  const rest = computed.filter((weight) => !shared.has(weight));
  const plans = (weights: readonly Computed[], count: number, threaded: boolean): WeightsPlan[] =>
    spreadOverFiles(weights, bytesOf, count).map((plan) => ({ ...plan, threaded }));
  return [...plans([...shared], availableParallelism(), true), ...plans(rest, 1, false)];
}

/** Whether a recipe needs nothing that lies in this thread's memory. */
function isInFiles(recipe: Recipe | undefined): boolean {
  if (!recipe) return false;
  if (recipe.kind === 'stored') return isFiled(recipe.entry);
  if (recipe.kind === 'rounded') return isInFiles(recipe.of);
  return isInFiles(recipe.first) && (!recipe.second || isInFiles(recipe.second));
}

const isFiled = ({ bytes }: WeightEntry): boolean =>
  bytes.kind === 'parts' ? bytes.parts.every(isFiled) : bytes.kind === 'file';

/** Computes a file's weights in a thread of its own, which ends with `signal`. */
async function inThread(
  { path, places }: StoredFile,
  told: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const tasks = places.map(({ item: [, entry], offset }) => ({
    recipe: recipeOf(entry)!,
    dtype: entry.dtype,
    offset,
  }));
  const worker = startThread(import.meta.resolve('./compute-worker.ts'), {
    path,
    tasks,
  } satisfies ComputeJob);
  const stop = (): void => void worker.terminate();
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (bytes: number) => {
        try {
          told(bytes);
        } catch (error) {
          stop();
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      worker.once('error', reject);
      worker.once('exit', (code) => {
        if (signal?.aborted) reject(new NoodleError('INTERRUPTED'));
        else if (code === 0) resolve();
        else reject(new Error(`a thread that computes weights ended with ${code}`));
      });
    });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Computes a file's weights in this thread. */
async function here(
  { path, places }: StoredFile,
  told: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    for (const { item, offset } of places) {
      if (signal?.aborted) throw new NoodleError('INTERRUPTED');
      const bytes = await readBytes(item[1]);
      await writeAll(handle, bytes, offset);
      told(bytes.byteLength);
    }
  } finally {
    await handle.close();
  }
}

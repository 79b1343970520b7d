/**
 * Finds out what lies in the asset folders. Files are told apart by path, size and time; their
 * bytes are read only where hashing is turned on, and then last.
 */
import type { RootName } from '../roots.ts';
import { countFiles, discover } from './discover.ts';
import { hashAll, markOutside, recheck } from './known.ts';
import { type Library, Scan, type ScanProgress } from './scan.ts';

export interface ScanStatus {
  readonly state: 'IDLE' | 'RUNNING' | 'CANCELLING';
  /** Of this scan or the last one. */
  readonly progress: ScanProgress | null;
  readonly errors: readonly string[];
}

/** One scan runs at a time. */
export class Scanner {
  readonly #library: Library;
  /** What runs now: a scan, or a prune alone. */
  #running: Scan | undefined;
  #done: Promise<unknown> = Promise.resolve();
  #last: Scan | undefined;

  constructor(library: Library) {
    this.#library = library;
  }

  /** False when one is running. */
  start(names: readonly RootName[], { prune = false }: { prune?: boolean } = {}): boolean {
    if (this.#running !== undefined) return false;
    const scan = new Scan(this.#library);
    this.#last = scan;
    void this.#run(scan, runScan(scan, names, prune));
    return true;
  }

  /** Marks contents outside of all folders as missing and counts them; undefined during a scan. */
  async prune(): Promise<number | undefined> {
    if (this.#running !== undefined) return undefined;
    const scan = new Scan(this.#library);
    return this.#run(scan, markOutside(scan));
  }

  /** Resolves when no scan is running. */
  async idle(): Promise<void> {
    await this.#done;
  }

  status(): ScanStatus {
    const running = this.#running;
    const state =
      running === undefined ? 'IDLE' : running.signal.aborted ? 'CANCELLING' : 'RUNNING';
    return { state, progress: this.#last?.progress ?? null, errors: this.#last?.errors ?? [] };
  }

  /** False when none is running. */
  cancel(): boolean {
    if (this.#running === undefined || this.#running.signal.aborted) return false;
    this.#running.cancel();
    return true;
  }

  async #run<T>(scan: Scan, work: Promise<T>): Promise<T> {
    this.#running = scan;
    const ended = work.finally(() => (this.#running = undefined));
    this.#done = ended.catch(() => undefined);
    return ended;
  }
}

/** A whole scan; it never rejects, since what goes wrong is announced. */
async function runScan(scan: Scan, names: readonly RootName[], prune: boolean): Promise<void> {
  const { announce } = scan.library;
  try {
    await scanRoots(scan, names, prune);
  } catch (error) {
    const { scanned = 0, total = 0, created = 0 } = scan.progress ?? {};
    if (scan.signal.aborted) {
      announce('assets.seed.cancelled', { scanned, total, created });
    } else {
      const { message } = error as Error;
      scan.note(`Scan failed: ${message}`);
      announce('assets.seed.error', { message });
    }
  }
}

async function scanRoots(scan: Scan, names: readonly RootName[], prune: boolean): Promise<void> {
  const { announce, hashing } = scan.library;
  const begin = Date.now();
  if (prune) await markOutside(scan);
  const total = await countFiles(scan, names);
  scan.begin(total);
  announce('assets.seed.started', { roots: names, total });
  for (const name of names) {
    await recheck(scan, name);
    await discover(scan, name);
  }
  if (hashing) for (const name of names) await hashAll(scan, name);
  announce('assets.seed.completed', { ...scan.progress, elapsed: (Date.now() - begin) / 1000 });
}

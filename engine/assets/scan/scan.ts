/** One scan of the asset folders: what it works on, how far it is and how it ends. */
import { setImmediate as turn } from 'node:timers/promises';
import { NoodleError } from '../../errors.ts';
import type { Records } from '../records.ts';
import type { AssetRoots } from '../roots.ts';
import type { AssetDb } from '../schema.ts';

/** What scans look at and write to. */
export interface Library {
  readonly db: AssetDb;
  readonly records: Records;
  readonly roots: AssetRoots;
  /** Also hash what is found. */
  readonly hashing: boolean;
  readonly newId: () => string;
  /** `assets.seed.*` messages for everybody. */
  readonly announce: (type: string, data: object) => void;
}

export interface ScanProgress {
  /** Files looked at. */
  readonly scanned: number;
  readonly total: number;
  /** New assets. */
  readonly created: number;
  /** Files that were known. */
  readonly skipped: number;
}

/** Rows that are read, and files that are looked at, before others get their turn. */
export const BATCH = 64;
const PROGRESS_INTERVAL = 1000;
const MAX_ERRORS = 200;

export class Scan {
  readonly library: Library;
  readonly errors: string[] = [];
  /** Null until the files are counted. */
  progress: { -readonly [K in keyof ScanProgress]: number } | null = null;
  readonly #cancelling = new AbortController();
  #announcedAt = 0;

  constructor(library: Library) {
    this.library = library;
  }

  /** Aborts when the scan is cancelled. */
  get signal(): AbortSignal {
    return this.#cancelling.signal;
  }

  cancel(): void {
    this.#cancelling.abort(new NoodleError('INTERRUPTED'));
  }

  /** The files are counted: from here on there is progress. */
  begin(total: number): void {
    this.progress = { scanned: 0, total, created: 0, skipped: 0 };
    this.#announcedAt = Date.now();
  }

  count(what: 'scanned' | 'created' | 'skipped'): void {
    if (this.progress !== null) this.progress[what]++;
  }

  /** Keeps what went wrong with one file; throws the error again when the scan was cancelled. */
  failed(path: string, error: unknown): void {
    if (this.signal.aborted) throw error;
    this.note(`${path}: ${(error as Error).message}`);
  }

  note(text: string): void {
    if (this.errors.length < MAX_ERRORS) this.errors.push(text);
  }

  /** Between two batches: others' requests, news, and the end when there shall be one. */
  async pause(): Promise<void> {
    await turn();
    this.signal.throwIfAborted();
    if (this.progress === null || Date.now() - this.#announcedAt < PROGRESS_INTERVAL) return;
    this.#announcedAt = Date.now();
    const { scanned, total, created } = this.progress;
    this.library.announce('assets.seed.progress', { scanned, total, created });
  }
}

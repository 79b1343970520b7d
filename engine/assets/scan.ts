/**
 * Finds out what lies in the asset folders. Files are told apart by path, size and time; their
 * bytes are read only where hashing is turned on, and then last.
 */
import { type Stats, statSync } from 'node:fs';
import { basename } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { NoodleError } from '../errors.ts';
import { describeFile, mimeOf } from './describe.ts';
import { hashFile } from './hash.ts';
import { type Content, type FileFacts, type Records, readContent } from './records.ts';
import {
  type AssetRoots,
  type RootName,
  SCAN_ROOTS,
  basesOf,
  pathRange,
  placeOf,
} from './roots.ts';
import type { AssetDb } from './schema.ts';
import { filesOf } from './walk.ts';

export interface ScanProgress {
  /** Files looked at. */
  readonly scanned: number;
  readonly total: number;
  /** New assets. */
  readonly created: number;
  /** Files that were known. */
  readonly skipped: number;
}

export interface ScanStatus {
  readonly state: 'IDLE' | 'RUNNING' | 'CANCELLING';
  /** Of this scan or the last one. */
  readonly progress: ScanProgress | null;
  readonly errors: readonly string[];
}

export interface Scanner {
  /** False when one is running. */
  start(names: readonly RootName[], options?: { prune?: boolean }): boolean;
  /** Resolves when no scan is running. */
  idle(): Promise<void>;
  status(): ScanStatus;
  /** False when none is running. */
  cancel(): boolean;
  /** Marks contents outside of all folders as missing and counts them; undefined during a scan. */
  prune(): Promise<number | undefined>;
}

export interface ScannerOptions {
  readonly db: AssetDb;
  readonly records: Records;
  readonly roots: AssetRoots;
  /** Also hash what is found. */
  readonly hashing: boolean;
  readonly newId: () => string;
  /** `assets.seed.*` messages for everybody. */
  readonly announce: (type: string, data: object) => void;
}

/** Rows that are read, and files that are looked at, before others get their turn. */
const BATCH = 64;
const PROGRESS_INTERVAL = 1000;
/** A file changed this recently may still be written to: it is looked at once more. */
const FRESH = 2000;
const SETTLE = 300;
const MAX_ERRORS = 200;

interface Found extends FileFacts {
  readonly path: string;
}

/** A scanner; one scan runs at a time. */
export function createScanner(options: ScannerOptions): Scanner {
  const { db, records, roots, hashing, newId, announce } = options;
  let state: ScanStatus['state'] = 'IDLE';
  let progress: { -readonly [K in keyof ScanProgress]: number } | null = null;
  let errors: string[] = [];
  let running: Promise<void> = Promise.resolve();
  let cancelling = new AbortController();
  let announcedAt = 0;

  /** Between two batches: others' requests, news, and the end when there shall be one. */
  const pause = async (): Promise<void> => {
    await turn();
    cancelling.signal.throwIfAborted();
    if (progress === null || Date.now() - announcedAt < PROGRESS_INTERVAL) return;
    announcedAt = Date.now();
    const { scanned, total, created } = progress;
    announce('assets.seed.progress', { scanned, total, created });
  };

  const scan = async (names: readonly RootName[], prune: boolean): Promise<void> => {
    const begin = Date.now();
    if (prune) await markOutside();
    const total = await count(names);
    progress = { scanned: 0, total, created: 0, skipped: 0 };
    announcedAt = begin;
    announce('assets.seed.started', { roots: names, total });
    for (const name of names) {
      for (const base of basesOf(roots, name)) await recheck(base);
      await discover(name);
    }
    if (hashing) for (const name of names) await hashAll(name);
    announce('assets.seed.completed', { ...progress, elapsed: (Date.now() - begin) / 1000 });
  };

  const run = async (names: readonly RootName[], prune: boolean): Promise<void> => {
    try {
      await scan(names, prune);
    } catch (error) {
      const { scanned = 0, total = 0, created = 0 } = progress ?? {};
      if (cancelling.signal.aborted) {
        announce('assets.seed.cancelled', { scanned, total, created });
      } else {
        const { message } = error as Error;
        note(`Scan failed: ${message}`);
        announce('assets.seed.error', { message });
      }
    } finally {
      state = 'IDLE';
    }
  };

  const note = (text: string): void => {
    if (errors.length < MAX_ERRORS) errors.push(text);
  };

  const count = async (names: readonly RootName[]): Promise<number> => {
    let n = 0;
    for (const name of names) {
      for (const _ of filesOf(roots, name)) if (++n % BATCH === 0) await pause();
    }
    return n;
  };

  /** Known files below a folder: still there, and the same? */
  const recheck = async (base: string): Promise<void> => {
    for await (const contents of livePages(base)) {
      const changed = contents
        .map((content) => ({ content, stat: statOf(content.path) }))
        .filter(({ content, stat }) => !isUnchanged(content, stat));
      for (const { content, stat } of changed) {
        const hash = await hashIfSame(content, stat);
        if (stat !== undefined && stat.size === content.size && hash !== null) {
          records.refresh(content.id, factsOf(stat), hash);
        } else {
          // The walk finds what lies there now and makes a new asset of it.
          records.markMissing(content.id);
        }
      }
      await pause();
    }
  };

  /** Only the time changed: the hash if it still is the same, null if not, undefined if unknown. */
  const hashIfSame = async (
    content: Content,
    stat: Stats | undefined,
  ): Promise<string | null | undefined> => {
    if (stat === undefined || stat.size !== content.size) return null;
    if (!hashing || content.hash === undefined) return undefined;
    const { hash } = await hashFile(content.path, cancelling.signal);
    return hash === content.hash ? hash : null;
  };

  /** Files of a root that no live content has: missing ones that came back, and new ones. */
  const discover = async (name: RootName): Promise<void> => {
    let batch: Found[] = [];
    const fresh: Found[] = [];
    for (const path of filesOf(roots, name)) {
      progress!.scanned++;
      const stat = records.live(path) === undefined ? statOf(path) : undefined;
      if (stat === undefined || stat.size === 0) progress!.skipped++;
      else if (Date.now() - stat.mtimeMs < FRESH) fresh.push({ path, ...factsOf(stat) });
      else batch.push({ path, ...factsOf(stat) });
      if (batch.length >= BATCH) {
        await admit(batch);
        batch = [];
      }
      if (progress!.scanned % BATCH === 0) await pause();
    }
    await admit(batch);
    if (fresh.length > 0) await sleep(SETTLE, undefined, { signal: cancelling.signal });
    for (let at = 0; at < fresh.length; at += BATCH) {
      const settled = fresh
        .slice(at, at + BATCH)
        .filter((file) => isUnchanged(file, statOf(file.path)));
      await admit(settled);
      await pause();
    }
  };

  const admit = async (files: readonly Found[]): Promise<void> => {
    const described: (Found & { metadata: string; returning?: Returning })[] = [];
    for (const file of files) {
      try {
        const name = placeOf(roots, file.path)?.loaderPath ?? basename(file.path);
        const metadata = await describeFile(file.path, name, file.size);
        described.push({ ...file, metadata, returning: await returning(file) });
      } catch (error) {
        if (cancelling.signal.aborted) throw error;
        note(`${file.path}: ${(error as Error).message}`);
      }
    }
    db.transaction(() => {
      for (const { returning: found, metadata, ...file } of described) {
        // An upload may have come in between.
        if (records.live(file.path) !== undefined) progress!.skipped++;
        else if (found !== undefined) records.unmarkMissing(found.id, file, found.hash);
        else add(file, metadata);
      }
    });
  };

  const add = ({ path, size, mtime }: Found, metadata: string): void => {
    const place = placeOf(roots, path);
    if (place === undefined) return;
    records.add(records.addContent(path, { size, mtime }), {
      ...{ uuid: newId(), owner: '', name: basename(path), tags: place.tags },
      ...{ mime: mimeOf(path), metadata, created: Math.round(mtime * 1000) },
    });
    progress!.created++;
  };

  /** The missing content that a file at its path is again, by size and time, else by its hash. */
  const returning = async (file: Found): Promise<Returning | undefined> => {
    const candidates = db
      .sql(
        `SELECT * FROM contents c WHERE path = ? AND missing = 1
           AND EXISTS (SELECT 1 FROM assets WHERE content = c.id) ORDER BY id DESC`,
      )
      .all(file.path)
      .map(readContent);
    const same = candidates.find((content) => isSame(content, file));
    if (same !== undefined) return { id: same.id, hash: same.hash };
    if (!hashing || candidates.length === 0) return undefined;
    const { hash } = await hashFile(file.path, cancelling.signal);
    const equal = candidates.filter((content) => content.hash === hash);
    return equal.length === 1 ? { id: equal[0].id, hash } : undefined;
  };

  const hashAll = async (name: RootName): Promise<void> => {
    for (const base of basesOf(roots, name)) {
      for await (const contents of livePages(base)) {
        for (const { id, path, hash, ...known } of contents) {
          if (hash !== undefined) continue;
          try {
            const hashed = await hashFile(path, cancelling.signal);
            if (isSame(known, hashed)) records.refresh(id, hashed, hashed.hash);
          } catch (error) {
            if (cancelling.signal.aborted) throw error;
            note(`${path}: ${(error as Error).message}`);
          }
        }
        await pause();
      }
    }
  };

  async function* livePages(base: string): AsyncGenerator<Content[]> {
    const [from, to] = pathRange(base);
    let last = from;
    for (;;) {
      const page = db
        .sql(
          'SELECT * FROM contents WHERE missing = 0 AND path > ? AND path < ? ORDER BY path LIMIT ?',
        )
        .all(last, to, BATCH)
        .map(readContent);
      if (page.length === 0) return;
      last = page.at(-1)!.path;
      yield page;
    }
  }

  const markOutside = async (): Promise<number> => {
    const ranges = [...SCAN_ROOTS, 'temp' as const].flatMap((name) => basesOf(roots, name));
    const bounds = ranges.map(pathRange);
    let last = 0;
    let marked = 0;
    for (;;) {
      const page = db
        .sql('SELECT id, path FROM contents WHERE missing = 0 AND id > ? ORDER BY id LIMIT ?')
        .all(last, BATCH * 8);
      if (page.length === 0) return marked;
      last = Number(page.at(-1)!.id);
      const outside = page.filter(
        ({ path }) =>
          !bounds.some(([from, to]) => (path as string) >= from && (path as string) < to),
      );
      if (outside.length > 0) {
        db.transaction(() => outside.forEach(({ id }) => records.markMissing(Number(id))));
      }
      marked += outside.length;
      await pause();
    }
  };

  /** Takes the scanner; false when it is taken. */
  const take = (): boolean => {
    if (state !== 'IDLE') return false;
    state = 'RUNNING';
    errors = [];
    cancelling = new AbortController();
    return true;
  };

  return {
    start: (names, { prune = false } = {}) => {
      if (!take()) return false;
      progress = null;
      running = run(names, prune);
      return true;
    },
    idle: () => running,
    status: () => ({ state, progress, errors }),
    cancel: () => {
      if (state !== 'RUNNING') return false;
      state = 'CANCELLING';
      cancelling.abort(new NoodleError('INTERRUPTED'));
      return true;
    },
    prune: async () => {
      if (!take()) return undefined;
      const work = markOutside();
      running = work.then(
        () => undefined,
        () => undefined,
      );
      try {
        return await work;
      } finally {
        state = 'IDLE';
      }
    },
  };
}

interface Returning {
  readonly id: number;
  readonly hash?: string;
}

function statOf(path: string): Stats | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() ? stat : undefined;
  } catch {
    return undefined;
  }
}

const factsOf = ({ size, mtimeMs }: Stats): FileFacts => ({ size, mtime: mtimeMs });

const isSame = (a: FileFacts, b: FileFacts): boolean => a.size === b.size && a.mtime === b.mtime;

const isUnchanged = (known: FileFacts, stat: Stats | undefined): boolean =>
  stat !== undefined && isSame(known, factsOf(stat));

/** Where a saver writes: ComfyUI's filename_prefix, and counters that parallel writers cannot share. */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, normalize, relative, resolve, sep } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { NoodleError } from '../errors.ts';
import { nameProblem } from './names.ts';
import { isInside, type Links, resolveInside } from './paths.ts';
import { publish, temporaryBeside, writeFileAtomic } from './write.ts';

/** Where a saver writes: see `Folders.saveTarget`. */
export interface SaveTarget {
  /** Absolute folder, created. */
  readonly directory: string;
  /** Prefix without folders. */
  readonly filename: string;
  /** First free counter. */
  readonly counter: number;
  /** Folder relative to the root of its directory type ('' for none). */
  readonly subfolder: string;
  /** The prefix after token replacement. */
  readonly prefix: string;
  /** What stands between the number and the suffix; `_` when it is not said. */
  readonly tail?: string;
  /** How a file is called without suffix, where it is not `<filename>_<number><tail>`. */
  readonly nameOf?: (counter: number) => string;
}

/** A file that was written. */
export interface NamedFile {
  readonly path: string;
  /** Name inside the target's directory. */
  readonly name: string;
}

export interface SavedFile extends NamedFile {
  readonly counter: number;
}

/** A folder that is written to, and where links in it may lead. */
export interface SaveRoot {
  readonly directory: string;
  readonly links: Links;
}

/** Files of a target. They throw FILE_WRITE when the system refuses, PATH_OUTSIDE for a name that leads elsewhere. */
export interface SavedFiles {
  /**
   * Writes `<filename>_<counter>_<suffix>` (suffix `.png`) whole, at the first free counter from
   * the target's on; never replaces a file, also between processes.
   */
  writeNumbered(target: SaveTarget, suffix: string, bytes: Uint8Array | string): SavedFile;
  /** Writes a file of that name whole, in place of one that is there. */
  writeNamed(target: SaveTarget, name: string, bytes: Uint8Array | string): NamedFile;
  /**
   * As `writeNumbered`, for a large file, which `write` writes at the path it is given: a temporary one in
   * the same folder, that goes when `write` throws.
   */
  streamNumbered(
    target: SaveTarget,
    suffix: string,
    write: (path: string) => Promise<void>,
  ): Promise<SavedFile>;
}

export interface Counters extends SavedFiles {
  /** Throws SAVE_OUTSIDE, or PATH_OUTSIDE for a name that the system cannot write. */
  readonly saveTarget: (root: SaveRoot, prefix: string, size?: PictureSize) => SaveTarget;
  /** Throws what `saveTarget` would, also for a name that is too long with its number and suffix. */
  readonly checkPrefix: (root: SaveRoot, prefix: string, suffix: string) => void;
}

/** Pixels. */
interface PictureSize {
  readonly width: number;
  readonly height: number;
}

interface KnownCounter {
  readonly directoryStamp: bigint;
  readonly max: number;
}

/** Makes the two functions; `now` is injected so that tests can pin the date tokens. */
export function createCounters(now: () => Date = () => new Date()): Counters {
  // Highest counter per directory and prefix, true while the directory's mtime stays: a run of
  // thousands of saves then scans the folder once instead of once a picture.
  const known = new Map<string, KnownCounter>();

  const keyOf = (directory: string, filename: string): string => join(directory, filename);

  const highest = (directory: string, filename: string): number => {
    const directoryStamp = stampOf(directory);
    const entry = known.get(keyOf(directory, filename));
    if (entry?.directoryStamp === directoryStamp) return entry.max;
    const max = scanCounters(readdirSync(directory), filename);
    known.set(keyOf(directory, filename), { directoryStamp, max });
    return max;
  };

  /** Puts a file under the first free number; `put` throws EEXIST where there is one already. */
  const putNumbered = (
    target: SaveTarget,
    suffix: string,
    put: (path: string) => void,
  ): SavedFile => {
    for (let counter = target.counter; ; counter++) {
      const name =
        target.nameOf === undefined
          ? numbered(target.filename, counter, (target.tail ?? '_') + suffix)
          : target.nameOf(counter) + suffix;
      const path = pathOf(target, name);
      const key = keyOf(target.directory, target.filename);
      const undisturbed = known.get(key)?.directoryStamp === stampOf(target.directory);
      try {
        put(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw writeError(join(target.subfolder, name), error);
      }
      // names of another form need not count as this number
      if (undisturbed && target.nameOf === undefined) {
        const max = Math.max(counter, known.get(key)?.max ?? 0);
        known.set(key, { directoryStamp: stampOf(target.directory), max });
      }
      return { path, name, counter };
    }
  };

  return {
    saveTarget(root, rawPrefix, size) {
      const prefix = replaceTokens(rawPrefix, now(), size);
      const { directory, subfolder, filename } = splitPrefix(root, prefix);
      writing(subfolder, () => mkdirSync(directory, { recursive: true }));
      return { directory, filename, counter: highest(directory, filename) + 1, subfolder, prefix };
    },

    checkPrefix(root, rawPrefix, suffix) {
      const prefix = replaceTokens(rawPrefix, now());
      const { filename } = splitPrefix(root, prefix);
      const problem = nameProblem(numbered(filename, 1, `_${suffix}`));
      if (problem !== undefined) refuseName(prefix, problem);
    },

    writeNumbered: (target, suffix, bytes) =>
      putNumbered(target, suffix, (path) => writeFileAtomic(path, bytes, { exclusive: true })),

    writeNamed(target, name, bytes) {
      const path = pathOf(target, name);
      writing(join(target.subfolder, name), () => writeFileAtomic(path, bytes));
      return { path, name };
    },

    async streamNumbered(target, suffix, write) {
      const temporary = temporaryBeside(join(target.directory, target.filename));
      try {
        await write(temporary);
        return putNumbered(target, suffix, (path) => publish(temporary, path, { exclusive: true }));
      } catch (error) {
        rmSync(temporary, { force: true });
        throw writeError(join(target.subfolder, target.filename), error);
      }
    },
  };
}

/** Replaces ComfyUI's server-side tokens (local time); unknown ones stay. */
function replaceTokens(
  prefix: string,
  now: Date,
  size: { width: number; height: number } = { width: 0, height: 0 },
): string {
  if (!prefix.includes('%')) return prefix;
  const two = (value: number): string => String(value).padStart(2, '0');
  const values: Readonly<Record<string, string>> = {
    width: String(size.width),
    height: String(size.height),
    year: String(now.getFullYear()),
    month: two(now.getMonth() + 1),
    day: two(now.getDate()),
    hour: two(now.getHours()),
    minute: two(now.getMinutes()),
    second: two(now.getSeconds()),
  };
  return prefix.replace(
    /%(width|height|year|month|day|hour|minute|second)%/g,
    (_, token: string) => values[token],
  );
}

/** Splits a prefix into folder and name below the root; throws SAVE_OUTSIDE when it leads elsewhere. */
function splitPrefix(
  { directory: root, links }: SaveRoot,
  prefix: string,
): { directory: string; subfolder: string; filename: string } {
  const normal = normalize(prefix.replace(/[\\/]/g, sep) || '.').replace(/(?<=.)[\\/]+$/, '');
  const folder = resolve(root, dirname(normal));
  const filename = basename(normal);
  const asked = dirname(prefix);
  if (filename === '' || !isInside(root, folder)) {
    throw new NoodleError('SAVE_OUTSIDE', { folder: asked });
  }
  const subfolder = relative(root, folder);
  try {
    for (const part of [...subfolder.split(sep), `${filename}_`]) {
      const problem = part === '' ? undefined : nameProblem(part);
      if (problem !== undefined) refuseName(prefix, problem);
    }
    // Also the name itself: a link there would be written through.
    resolveInside(root, join(subfolder, `${filename}_`), { links });
    return { directory: resolveInside(root, subfolder, { links }), subfolder, filename };
  } catch (error) {
    if (error instanceof NoodleError && error.details.outside === true) {
      const reason = String(error.details.reason);
      throw new NoodleError('SAVE_OUTSIDE', { folder: asked, reason }, { cause: error });
    }
    throw error;
  }
}

/** Where a file of that name lies: in the target's own folder, whatever nodes made the name of. */
function pathOf({ directory }: SaveTarget, name: string): string {
  const problem = /[\\/]/.test(name) ? 'has a slash in a name' : nameProblem(name);
  return problem === undefined ? join(directory, name) : refuseName(name, problem);
}

function refuseName(prefix: string, reason: string): never {
  throw new NoodleError('PATH_OUTSIDE', { path: prefix, reason });
}

const numbered = (filename: string, counter: number, suffix: string): string =>
  `${filename}_${String(counter).padStart(5, '0')}${suffix}`;

function writing(name: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    throw writeError(name, error);
  }
}

/** What the system says, without the folders that its own message names. */
function writeError(name: string, cause: unknown): unknown {
  const { errno, code } = cause as NodeJS.ErrnoException;
  if (code === undefined || cause instanceof NoodleError) return cause;
  const reason = getSystemErrorMap().get(errno ?? 0)?.[1] ?? code;
  return new NoodleError('FILE_WRITE', { name, reason }, { cause });
}

/** Highest counter among `<filename>_<digits>_…` and `<filename>_<digits>.…`; 0 when there is none. */
function scanCounters(names: readonly string[], filename: string): number {
  const fold = (text: string): string => (process.platform === 'win32' ? text.toLowerCase() : text);
  const start = fold(`${filename}_`);
  let max = 0;
  for (const name of names) {
    if (!fold(name).startsWith(start)) continue;
    const digits = /^\d{1,15}(?=[_.]|$)/.exec(name.slice(start.length));
    if (digits !== null) max = Math.max(max, Number(digits[0]));
  }
  return max;
}

function stampOf(directory: string): bigint {
  return statSync(directory, { bigint: true }).mtimeNs;
}

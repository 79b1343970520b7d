/** Where a saver writes: ComfyUI's filename_prefix, and counters that parallel writers cannot share. */
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, normalize, relative, resolve, sep } from 'node:path';
import { NoodleError } from '../errors.ts';
import type { SaveTarget } from './folders.ts';
import { isInside, resolveInside } from './paths.ts';
import { writeFileAtomic } from './write.ts';

/** A file that `writeNumbered` wrote. */
export interface SavedFile {
  readonly path: string;
  /** Name inside the target's directory. */
  readonly name: string;
  readonly counter: number;
}

export interface Counters {
  saveTarget(root: string, prefix: string, size?: { width: number; height: number }): SaveTarget;
  writeNumbered(target: SaveTarget, suffix: string, bytes: Uint8Array | string): SavedFile;
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

  return {
    saveTarget(root, rawPrefix, size) {
      const prefix = replaceTokens(rawPrefix, now(), size);
      const { directory, subfolder, filename } = splitPrefix(root, prefix);
      mkdirSync(directory, { recursive: true });
      return { directory, filename, counter: highest(directory, filename) + 1, subfolder, prefix };
    },

    writeNumbered(target, suffix, bytes) {
      for (let counter = target.counter; ; counter++) {
        const name = `${target.filename}_${String(counter).padStart(5, '0')}_${suffix}`;
        const path = join(target.directory, name);
        const key = keyOf(target.directory, target.filename);
        const undisturbed = known.get(key)?.directoryStamp === stampOf(target.directory);
        try {
          writeFileAtomic(path, bytes, { exclusive: true });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
          throw error;
        }
        if (undisturbed) {
          const max = Math.max(counter, known.get(key)?.max ?? 0);
          known.set(key, { directoryStamp: stampOf(target.directory), max });
        }
        return { path, name, counter };
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

/** Splits a prefix into folder and name below `root`; SAVE_OUTSIDE when it leads elsewhere. */
function splitPrefix(
  root: string,
  prefix: string,
): { directory: string; subfolder: string; filename: string } {
  const normal = normalize(prefix.replace(/[\\/]/g, sep) || '.').replace(/(?<=.)[\\/]+$/, '');
  const folder = resolve(root, dirname(normal));
  const filename = basename(normal);
  const outside = (): never => {
    throw new NoodleError('SAVE_OUTSIDE', { folder, root });
  };
  if (filename === '' || !isInside(root, folder)) outside();
  const subfolder = relative(root, folder);
  try {
    // Also refuses links that leave the root, device names and control characters.
    resolveInside(root, join(subfolder, `${filename}_`));
    return { directory: resolveInside(root, subfolder), subfolder, filename };
  } catch (error) {
    if (error instanceof NoodleError && error.code === 'PATH_OUTSIDE') return outside();
    throw error;
  }
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

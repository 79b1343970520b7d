/** The files below a folder, one by one, without holding them all in memory. */
import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface WalkOptions {
  /** Whether an entry of this name is looked at at all. */
  readonly takes: (name: string) => boolean;
  /** Whether the link at a path is followed; every link when left out. */
  readonly follows?: (path: string) => boolean;
  /** Called with every folder before it is read. */
  readonly entering?: (directory: string) => void;
}

/**
 * Paths of the files below `directory`, in the order of the file system. What cannot be read is passed
 * over, and no link leads round in a circle.
 */
export function* walkFiles(directory: string, options: WalkOptions): Generator<string> {
  yield* walk(directory, options, new Set());
}

/** `above`: the real paths of the folders on the way here. */
function* walk(
  directory: string,
  options: WalkOptions,
  above: ReadonlySet<string>,
): Generator<string> {
  const { takes, follows, entering } = options;
  entering?.(directory);
  let entries: Dirent[];
  let real: string;
  try {
    real = realpathSync.native(directory);
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    return;
  }
  if (above.has(real)) return;
  const inside = new Set(above).add(real);
  for (const entry of entries) {
    if (!takes(entry.name)) continue;
    const path = join(directory, entry.name);
    const isLink = entry.isSymbolicLink();
    if (isLink && follows?.(path) === false) continue;
    const kind = isLink ? targetOf(path) : entry;
    if (kind?.isDirectory()) yield* walk(path, options, inside);
    else if (kind?.isFile()) yield path;
  }
}

/** What a link leads to; undefined when that is nothing, itself, or may not be looked at. */
function targetOf(path: string): Pick<Dirent, 'isDirectory' | 'isFile'> | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

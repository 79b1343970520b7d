/** Where custom node packs lie: a folder or a file directly below a custom_nodes folder each. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';

export interface FindPacksOptions {
  /** `custom_nodes` folders; a missing one is skipped. */
  readonly directories: readonly string[];
  /** Names of folders or files (also without their ending); --disable-all-custom-nodes leaves those of the white list. */
  readonly packs?: 'all' | readonly string[];
}

/** What a pack may be written in: entry file's ending. */
export const PACK_EXTENSIONS = ['.ts', '.js', '.mjs'];

/**
 * Absolute paths of the packs, by name within each folder. No pack is: what starts with a dot or
 * ends in `.disabled`, a declaration file, a test. Python packs are listed, to be reported.
 */
export function findPacks({ directories, packs = 'all' }: FindPacksOptions): string[] {
  return directories.flatMap((directory) =>
    namesIn(directory)
      .filter((name) => !/^\.|\.disabled$|^__pycache__$|^node_modules$/.test(name))
      .map((name) => resolve(directory, name))
      .filter((path) => isFolder(path) || isPackFile(path))
      .filter(
        (path) => packs === 'all' || packs.includes(packId(path)) || packs.includes(basename(path)),
      ),
  );
}

/** The name of a pack in addresses and messages: its folder's, or its file's without the ending. */
export const packId = (path: string): string =>
  isPackFile(path) && !isFolder(path) ? basename(path, extname(path)) : basename(path);

/** The file a pack is entered by; throws when there is none. */
export function entryFile(path: string): string {
  if (!isFolder(path)) {
    if (path.endsWith('.py')) throw new Error(PYTHON);
    return path;
  }
  const entry = PACK_EXTENSIONS.map((extension) => join(path, `index${extension}`)).find(
    existsSync,
  );
  if (entry !== undefined) return entry;
  throw new Error(existsSync(join(path, '__init__.py')) ? PYTHON : EXPECTED);
}

const EXPECTED = 'expected index.ts, index.js or index.mjs';
const PYTHON = `a Python pack: ${EXPECTED}`;

export const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const isPackFile = (path: string): boolean =>
  [...PACK_EXTENSIONS, '.py'].includes(extname(path)) && !/\.(d|test)\.[jt]s$/.test(path);

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort((a, b) => (a < b ? -1 : 1));
  } catch {
    return [];
  }
}

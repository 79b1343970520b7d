/** Files that a user keeps on the server (workflows, `user.css` …): listing and writing them. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { NoodleError } from '../errors.ts';
import { byCodePoint } from './list-files.ts';
import { resolveInside } from './paths.ts';
import { writeFileAtomic } from './write.ts';

export interface UserFile {
  /** Forward slashes, relative to the listed folder. */
  readonly path: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly created: number;
}

export interface UserEntry {
  readonly name: string;
  readonly path: string;
  readonly type: 'file' | 'directory';
  readonly size?: number;
  /** Seconds since 1970. */
  readonly modified?: number;
}

/** The absolute path of a user's file; throws PATH_OUTSIDE. */
export const userFile = (userRoot: string, name: string): string => resolveInside(userRoot, name);

/** Files below `dir` (not those whose name starts with a dot), sorted; throws FILE_NOT_FOUND. */
export function listUserFiles(
  userRoot: string,
  dir: string,
  { recurse }: { recurse: boolean },
): UserFile[] {
  const root = resolveInside(userRoot, dir);
  if (!isDirectory(root)) throw new NoodleError('FILE_NOT_FOUND', { kind: 'folder', name: dir });
  return walk(root, { recurse, hidden: false })
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
    .map((path) => ({ ...describe(path), path: slashed(relative(root, path)) }))
    .sort((a, b) => byCodePoint(a.path, b.path));
}

/** Everything below `dir`, hidden files too, directories first, then by lower-cased name; paths from the user root. */
export function listUserEntries(userRoot: string, dir: string): UserEntry[] {
  const root = resolveInside(userRoot, dir);
  if (!existsSync(root)) {
    if (dir === '') return [];
    throw new NoodleError('FILE_NOT_FOUND', { kind: 'folder', name: dir });
  }
  if (!isDirectory(root)) {
    throw new NoodleError('BAD_INPUT', { subject: dir, expected: 'a folder', got: 'a file' });
  }
  const realRoot = resolveInside(userRoot, '');
  const entries = walk(root, { recurse: true, hidden: true }).flatMap((path): UserEntry[] => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    const name = path.slice(path.lastIndexOf(sep) + 1);
    const shown = slashed(relative(realRoot, path));
    return stat.isDirectory()
      ? [{ name, path: shown, type: 'directory' }]
      : [{ name, path: shown, type: 'file', size: stat.size, modified: stat.mtimeMs / 1000 }];
  });
  return entries.sort(
    (a, b) =>
      Number(a.type === 'file') - Number(b.type === 'file') ||
      byCodePoint(a.name.toLowerCase(), b.name.toLowerCase()),
  );
}

/** Writes a user's file; throws FILE_EXISTS when it is there and `overwrite` is false. */
export function writeUserFile(
  userRoot: string,
  name: string,
  bytes: Uint8Array,
  { overwrite }: { overwrite: boolean },
): UserFile {
  const path = userFile(userRoot, name);
  if (!overwrite && existsSync(path)) throw new NoodleError('FILE_EXISTS', { name });
  mkdirSync(dirname(path), { recursive: true });
  writeFileAtomic(path, bytes);
  return describeUserFile(userRoot, path);
}

/** Moves a user's file; throws FILE_NOT_FOUND or FILE_EXISTS. */
export function moveUserFile(
  userRoot: string,
  from: string,
  to: string,
  { overwrite }: { overwrite: boolean },
): UserFile {
  const source = userFile(userRoot, from);
  if (!existsSync(source)) throw new NoodleError('FILE_NOT_FOUND', { kind: 'file', name: from });
  const target = userFile(userRoot, to);
  if (!overwrite && existsSync(target)) throw new NoodleError('FILE_EXISTS', { name: to });
  mkdirSync(dirname(target), { recursive: true });
  renameSync(source, target);
  return describeUserFile(userRoot, target);
}

/** Removes a user's file; throws FILE_NOT_FOUND. */
export function deleteUserFile(userRoot: string, name: string): void {
  const path = userFile(userRoot, name);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new NoodleError('FILE_NOT_FOUND', { kind: 'file', name });
  }
  rmSync(path);
}

function describeUserFile(userRoot: string, path: string): UserFile {
  return { ...describe(path), path: slashed(relative(resolveInside(userRoot, ''), path)) };
}

function describe(path: string): Omit<UserFile, 'path'> {
  const stat = statSync(path);
  return {
    size: stat.size,
    modified: Math.trunc(stat.mtimeMs),
    created: Math.trunc(stat.ctimeMs),
  };
}

interface WalkOptions {
  readonly recurse: boolean;
  /** Names that start with a dot, too. */
  readonly hidden: boolean;
}

function walk(root: string, options: WalkOptions): string[] {
  return readdirSync(root, { withFileTypes: true }).flatMap((entry) => {
    if (!options.hidden && entry.name.startsWith('.')) return [];
    const path = join(root, entry.name);
    // Links are listed but not entered: a link to a parent would never end.
    return entry.isDirectory() && options.recurse ? [path, ...walk(path, options)] : [path];
  });
}

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const slashed = (path: string): string => (sep === '/' ? path : path.split(sep).join('/'));

/**
 * THE resolver: every file name that comes from outside (a request, a workflow, a prompt) becomes a
 * path through `resolveInside` or not at all.
 */
import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { NoodleError } from '../errors.ts';
import { nameProblem } from './names.ts';

/**
 * Where a link inside a folder may lead: nowhere but into the folder itself, anywhere (what the
 * administrator linked there), or into one of these folders as well.
 */
export type Links = 'refuse' | 'follow' | readonly string[];

export interface ResolveOptions {
  /** Throw FILE_NOT_FOUND unless the path exists. */
  readonly mustExist?: boolean;
  /** 'refuse' when left out. */
  readonly links?: Links;
  /** What FILE_NOT_FOUND calls the thing. */
  readonly kind?: string;
}

/**
 * Splits an outside name into its parts. Both slashes separate (workflows made on Windows carry
 * backslashes), empty parts and `.` vanish. Throws PATH_OUTSIDE for absolute names, `..`, and parts
 * that this system cannot name a file with.
 */
export function nameParts(name: string): string[] {
  const refuse = (reason: string, outside = false): never => {
    throw new NoodleError('PATH_OUTSIDE', { path: name, reason, outside });
  };
  const drive = process.platform === 'win32' ? /^[a-z]:/i : /^[a-z]:[\\/]/i;
  if (/^[\\/]/.test(name) || drive.test(name)) {
    return refuse('lies outside the folder: it is absolute', true);
  }
  const parts = name.split(/[\\/]/).filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    if (part === '..') return refuse('lies outside the folder', true);
    const problem = nameProblem(part);
    if (problem !== undefined) return refuse(problem);
  }
  return parts;
}

/**
 * Whether a file or folder of this name can be asked for: the rule of every list, so that what is listed
 * is also found. A name on the disk may hold backslashes where the system allows it.
 */
export function canBeNamed(name: string): boolean {
  try {
    nameParts(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * A name in a sub-folder as one name for `resolveInside`. Throws PATH_OUTSIDE when `name` is absolute,
 * which the joining would hide.
 */
export function below(subfolder: string, name: string): string {
  if (subfolder === '') return name;
  nameParts(name);
  return `${subfolder}/${name}`;
}

/**
 * The absolute path of `name` below `root` with every symlink resolved (parts that do not exist yet
 * are kept as they are). Throws PATH_OUTSIDE when it would leave the root, FILE_NOT_FOUND when
 * `mustExist` is set and it does not exist. An empty name is the root itself. Messages hold the name
 * only, never the root: they go to whoever asked.
 */
export function resolveInside(root: string, name: string, options: ResolveOptions = {}): string {
  const { links = 'refuse', mustExist = false, kind = 'file' } = options;
  const parts = nameParts(name);
  const realRoot = realDeepest(root, name).path;
  const wanted = join(realRoot, ...(asWritten(realRoot, name) ?? parts));
  if (Buffer.byteLength(wanted) > LONGEST_PATH) {
    throw new NoodleError('PATH_OUTSIDE', { path: name, reason: UNREACHABLE.ENAMETOOLONG });
  }
  const { path, exists } = realDeepest(wanted, name);
  if (!isInside(realRoot, path) && !mayLead(links, path)) {
    const reason = 'lies outside the folder: it goes through a link (--follow-links allows that)';
    throw new NoodleError('PATH_OUTSIDE', { path: name, reason, outside: true });
  }
  if (mustExist && !exists) throw new NoodleError('FILE_NOT_FOUND', { kind, name });
  return path;
}

/**
 * The parts of a name whose backslashes belong to what is there: archives of Windows that were unpacked
 * elsewhere leave such files. They count before a folder of the first part.
 */
function asWritten(root: string, name: string): string[] | undefined {
  if (sep === '\\' || !name.includes('\\')) return undefined;
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  return existsSync(join(root, ...parts)) ? parts : undefined;
}

function mayLead(links: Links, path: string): boolean {
  if (links === 'refuse' || links === 'follow') return links === 'follow';
  return links.some((folder) => isInside(realDeepest(folder, folder).path, path));
}

/** Whether an absolute path is `root` or lies below it (by its parts; links are not looked at). */
export function isInside(root: string, path: string): boolean {
  const rest = relative(root, path);
  return rest === '' || (!isAbsolute(rest) && rest !== '..' && !rest.startsWith(`..${sep}`));
}

/** Whether the path is an existing regular file (links followed); never throws. */
export function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    return false; // a loop of links, a part that is a file, no permission
  }
}

/** Linux's limit for a path with its end; others take more or less, and say so themselves. */
const LONGEST_PATH = 4095;

/** What the system says of a path that it will not look at, for `name`. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  ELOOP: 'goes round in links',
  ENAMETOOLONG: 'is longer than this system takes',
  EACCES: 'cannot be reached: this server may not read a folder on the way',
};

function isLinkItself(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false; // not there, or below a file
  }
}

/** Realpath of the deepest existing ancestor, with the missing parts put back behind it. */
function realDeepest(path: string, name: string): { path: string; exists: boolean } {
  const missing: string[] = [];
  let current = path;
  for (;;) {
    try {
      return { path: join(realpathSync.native(current), ...missing), exists: missing.length === 0 };
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') {
        const reason = UNREACHABLE[code] ?? `cannot be reached (${code})`;
        throw new NoodleError('PATH_OUTSIDE', { path: name, reason }, { cause: error });
      }
    }
    // A dangling link is no missing part: writing "into" it would create its target.
    if (isLinkItself(current)) {
      throw new NoodleError('FILE_NOT_FOUND', { kind: 'target of the link', name });
    }
    const parent = dirname(current);
    if (parent === current) return { path, exists: false };
    missing.unshift(current.slice(parent.length).replace(/^[\\/]/, ''));
    current = parent;
  }
}

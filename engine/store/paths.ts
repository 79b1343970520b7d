/**
 * THE resolver: every file name that comes from outside (a request, a workflow, a prompt) becomes a
 * path through `resolveInside` or not at all.
 */
import { lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { NoodleError } from '../errors.ts';

export interface ResolveOptions {
  /** Throw FILE_NOT_FOUND unless the path exists. */
  readonly mustExist?: boolean;
  /**
   * 'refuse' (default): a symlink that leaves the root makes the name invalid. 'follow': links are
   * the administrator's (model folders), only the name itself is checked.
   */
  readonly links?: 'refuse' | 'follow';
  /** What FILE_NOT_FOUND calls the thing. */
  readonly kind?: string;
}

// Windows opens these as devices in every folder and with every extension; refused on every system
// so that a name which works on one machine is not a trap on another.
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?: *\..*)?$/i;

/**
 * Splits an outside name into its parts. Both slashes separate (workflows made on Windows carry
 * backslashes), empty parts and `.` vanish. Throws PATH_OUTSIDE for absolute names, drive letters,
 * `..`, NUL and control characters, Windows device names and alternate streams (`a:b`).
 */
export function nameParts(name: string, root: string): string[] {
  const refuse = (): never => {
    throw new NoodleError('PATH_OUTSIDE', { path: name, root });
  };
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/^[\\/]|[\u0000-\u001f]/.test(name) || /^[a-z]:/i.test(name)) refuse();
  const parts = name.split(/[\\/]/).filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    // Windows drops trailing dots and spaces, which would turn `...` or `.. ` into something else.
    const bare = part.replace(/[. ]+$/, '');
    if (part === '..' || bare === '' || DEVICE.test(bare)) refuse();
    if (process.platform === 'win32' && part.includes(':')) refuse();
  }
  return parts;
}

/**
 * The absolute path of `name` below `root` with every symlink resolved (parts that do not exist yet
 * are kept as they are). Throws PATH_OUTSIDE when it would leave the root, FILE_NOT_FOUND when
 * `mustExist` is set and it does not exist. An empty name is the root itself.
 */
export function resolveInside(root: string, name: string, options: ResolveOptions = {}): string {
  const parts = nameParts(name, root);
  const realRoot = realDeepest(root).path;
  const { path, exists } = realDeepest(join(realRoot, ...parts));
  if (options.links !== 'follow' && !isInside(realRoot, path)) {
    throw new NoodleError('PATH_OUTSIDE', { path: name, root });
  }
  if (options.mustExist && !exists) {
    throw new NoodleError('FILE_NOT_FOUND', { kind: options.kind ?? 'file', name });
  }
  return path;
}

/** Whether an absolute path is `root` or lies below it (by its parts; links are not looked at). */
export function isInside(root: string, path: string): boolean {
  const rest = relative(root, path);
  return rest === '' || (!isAbsolute(rest) && rest !== '..' && !rest.startsWith(`..${sep}`));
}

/** Whether the path is an existing regular file (links followed); never throws. */
export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Realpath of the deepest existing ancestor, with the missing parts put back behind it. */
function realDeepest(path: string): { path: string; exists: boolean } {
  const missing: string[] = [];
  let current = path;
  for (;;) {
    try {
      return { path: join(realpathSync.native(current), ...missing), exists: missing.length === 0 };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') {
        throw new NoodleError('PATH_OUTSIDE', { path, root: current }, { cause: error });
      }
    }
    // A dangling link is no missing part: writing "into" it would create its target.
    if (lstatSync(current, { throwIfNoEntry: false })?.isSymbolicLink()) {
      throw new NoodleError('FILE_NOT_FOUND', { kind: 'target of the link', name: current });
    }
    const parent = dirname(current);
    if (parent === current) return { path, exists: false };
    missing.unshift(current.slice(parent.length).replace(/^[\\/]/, ''));
    current = parent;
  }
}

/**
 * Saved workflows: the `workflows` folder of a user's own files, which the editor shows too, and forms
 * that come with the program. An id is the path without `.json`; a file of the user's hides the
 * program's of the same id.
 */
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NoodleError } from '../errors.ts';
import { isFile, resolveInside } from './paths.ts';
import { deleteUserFile, listUserFiles, moveUserFile, writeUserFile } from './userdata.ts';

/** Forms that come with the program. */
export const PROGRAM_FORMS = fileURLToPath(new URL('../../workflows/forms', import.meta.url));

export interface WorkflowFile {
  readonly id: string;
  /** Of the program, not of the user. */
  readonly builtin: boolean;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** Absolute. */
  readonly path: string;
}

export interface WorkflowStore {
  /** Those of the program first, then the user's by path. */
  list(): WorkflowFile[];
  /** Throws FILE_NOT_FOUND or PATH_OUTSIDE. */
  find(id: string): WorkflowFile;
  /** Throws FILE_NOT_FOUND or PATH_OUTSIDE. */
  read(id: string): string;
  /** Writes the user's own file; throws FILE_EXISTS where it is there and `overwrite` is false. */
  write(id: string, text: string, options: { readonly overwrite: boolean }): WorkflowFile;
  /** Gives the user's file another id; throws FILE_NOT_FOUND or FILE_EXISTS. */
  move(id: string, to: string): WorkflowFile;
  /** Removes the user's own file; throws FILE_NOT_FOUND. */
  remove(id: string): void;
}

/** The workflows of the user whose folder `userRoot` is; `programRoot` holds the program's. */
export function workflowStore(userRoot: string, programRoot: string): WorkflowStore {
  const own = (id: string): string => `workflows/${fileName(id)}`;
  const ownPath = (id: string): string => resolveInside(userRoot, own(id));
  const listed = (root: string, dir: string, builtin: boolean): WorkflowFile[] => {
    try {
      return listUserFiles(root, dir, { recurse: !builtin })
        .filter(({ path }) => path.endsWith('.json'))
        .map(({ path, size, modified }) => ({
          id: path.slice(0, -'.json'.length),
          builtin,
          size,
          modified,
          path: resolveInside(root, dir === '' ? path : `${dir}/${path}`),
        }));
    } catch (error) {
      // Nothing was saved yet.
      if (error instanceof NoodleError && error.code === 'FILE_NOT_FOUND') return [];
      throw error;
    }
  };
  const find = (id: string): WorkflowFile => {
    const mine = ownPath(id);
    const program = resolveInside(programRoot, fileName(id));
    for (const [path, builtin] of [
      [mine, false],
      [program, true],
    ] as const) {
      if (!isFile(path)) continue;
      const { size, mtimeMs } = statSync(path);
      return { id, builtin, size, modified: Math.trunc(mtimeMs), path };
    }
    throw new NoodleError('FILE_NOT_FOUND', { kind: 'workflow', name: id });
  };
  return {
    list: () => {
      const mine = listed(userRoot, 'workflows', false);
      const hidden = new Set(mine.map(({ id }) => id));
      return [...listed(programRoot, '', true).filter(({ id }) => !hidden.has(id)), ...mine];
    },
    find,
    read: (id) => readFileSync(find(id).path, 'utf8'),
    write: (id, text, options) => {
      writeUserFile(userRoot, own(id), Buffer.from(text), options);
      return find(id);
    },
    move: (id, to) => {
      moveUserFile(userRoot, own(id), own(to), { overwrite: false });
      return find(to);
    },
    remove: (id) => deleteUserFile(userRoot, own(id)),
  };
}

function fileName(id: string): string {
  if (id === '' || id.endsWith('/')) {
    throw new NoodleError('BAD_INPUT', { subject: 'workflow', expected: 'a name', got: id });
  }
  return `${id}.json`;
}

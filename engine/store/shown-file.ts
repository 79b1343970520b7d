/** Files that nodes name in what they show. */
import { join } from 'node:path';
import { NoodleError } from '../errors.ts';
import type { DirectoryType, Folders } from './folders.ts';
import { below, nameParts } from './paths.ts';

export interface ShownFile {
  readonly type: 'output' | 'temp';
  /** Absolute; whether a file is there is another question. */
  readonly path: string;
}

/** The file that an entry `{ filename, subfolder, type }` names; undefined for anything else. */
export function shownFile(entry: unknown, folders: Folders): ShownFile | undefined {
  const { filename, subfolder, type } = (entry ?? {}) as Record<string, unknown>;
  if (typeof filename !== 'string' || (type !== 'output' && type !== 'temp')) return undefined;
  const root = folders.directory(type satisfies DirectoryType);
  const folder = typeof subfolder === 'string' ? subfolder : '';
  try {
    return { type, path: join(root, ...nameParts(below(folder, filename))) };
  } catch (error) {
    if (error instanceof NoodleError) return undefined;
    throw error;
  }
}

import type { SavedEntry } from '../api/user-workflows.ts';
import { nameOf } from '../documents/saving.ts';

/** A folder of saved workflows: what lies in it, folders first. */
export interface Folder {
  /** The whole name from the top, '' for the top itself. */
  readonly name: string;
  readonly folders: Folder[];
  readonly files: string[];
}

/** Saved workflows as a tree. With a search text, only those with all its words in their names. */
export function treeOf(entries: readonly SavedEntry[], search = ''): Folder {
  const top: Folder = { name: '', folders: [], files: [] };
  const known = new Map([['', top]]);
  const folder = (name: string): Folder => {
    const there = known.get(name);
    if (there !== undefined) return there;
    const made: Folder = { name, folders: [], files: [] };
    known.set(name, made);
    folder(parentOf(name)).folders.push(made);
    return made;
  };
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  for (const { path, isFolder } of entries) {
    if (isFolder) {
      if (words.length === 0) folder(path);
      continue;
    }
    const name = nameOf(path);
    const plain = name.toLowerCase();
    if (words.every((word) => plain.includes(word))) folder(parentOf(name)).files.push(name);
  }
  for (const each of known.values()) {
    each.folders.sort((a, b) => a.name.localeCompare(b.name));
    each.files.sort((a, b) => a.localeCompare(b));
  }
  return top;
}

/** The folder a name lies in, '' for the top. */
export const parentOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('/')));

/** A name without its folders. */
export const baseOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

/** The name something has after it was moved into a folder. */
export const movedInto = (folder: string, name: string): string =>
  folder === '' ? baseOf(name) : `${folder}/${baseOf(name)}`;

/** Finding an embedding by the name that a prompt gives it. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isFile, resolveInside } from './paths.ts';

/**
 * The file of `embedding:NAME`: each embeddings folder and all its sub-folders count as a root; in
 * each, NAME itself, then with `.safetensors`, `.pt`, `.bin`. Undefined when there is none, also
 * for names that would leave the root.
 */
export function findEmbedding(roots: readonly string[], name: string): string | undefined {
  for (const root of roots) {
    for (const directory of folderTree(root)) {
      for (const ending of ['', '.safetensors', '.pt', '.bin']) {
        const path = pathInside(directory, name + ending);
        if (path !== undefined && isFile(path)) return path;
      }
    }
  }
  return undefined;
}

function pathInside(directory: string, name: string): string | undefined {
  try {
    return resolveInside(directory, name, { links: 'follow' });
  } catch {
    return undefined;
  }
}

/** A folder and everything below it, parents first; hidden folders and loops of links left out. */
function folderTree(root: string): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = (directory: string): void => {
    const stat = statSync(directory, { throwIfNoEntry: false });
    if (!stat?.isDirectory() || seen.has(`${stat.dev}:${stat.ino}`)) return;
    seen.add(`${stat.dev}:${stat.ino}`);
    found.push(directory);
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (!entry.isFile() && !entry.name.startsWith('.')) visit(join(directory, entry.name));
    }
  };
  visit(root);
  return found;
}

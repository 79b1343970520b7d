/** Finding a textual-inversion file by the name a prompt uses. */
import type { Folders } from '../store/folders.ts';

const endings = ['', '.safetensors', '.pt', '.bin'];

/**
 * The file of `embedding:NAME`: in the embeddings folder or any folder below it, with or without its
 * ending; undefined when there is none. Only files the folder lists can be found, so a name cannot
 * lead outside.
 */
export function findEmbedding(folders: Folders, name: string): string | undefined {
  const files = folders.modelFiles('embeddings').map((file) => file.replaceAll('\\', '/'));
  const parents = new Set(['', ...files.flatMap(foldersOf)]);
  for (const parent of parents) {
    for (const ending of endings) {
      const wanted = `${parent}${name}${ending}`;
      if (files.includes(wanted)) return folders.modelFile('embeddings', wanted);
    }
  }
  return undefined;
}

/** `a/b/c.pt` lies in `a/` and `a/b/`. */
function foldersOf(file: string): string[] {
  const parts = file.split('/').slice(0, -1);
  return parts.map((_, i) => `${parts.slice(0, i + 1).join('/')}/`);
}

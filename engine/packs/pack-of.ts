/** Whose fault an error is. */
import { realpathSync } from 'node:fs';
import { sep } from 'node:path';

/** The first of the packs (files or folders) whose code shows in an error's stack. */
export function packOf(error: unknown, paths: readonly string[]): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  // Modules are known by their real path, as a path or as an address.
  const text = stack.includes('file://') ? `${stack}\n${decoded(stack)}` : stack;
  return paths.find((path) =>
    [path, realPath(path)].some(
      (root) => text.includes(`${root}${sep}`) || text.includes(`${root}:`),
    ),
  );
}

function decoded(text: string): string {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

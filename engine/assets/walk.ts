/** Files below a folder, one by one, without holding them all in memory. */
import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { basesOf, loads, servablePath } from './roots.ts';
import type { AssetRoots, RootName } from './roots.ts';

/** Downloads that are not complete. */
const PARTIAL = new Set([
  '.part',
  '.partial',
  '.crdownload',
  '.download',
  '.tmp',
  '.temp',
  '.aria2',
]);

/**
 * Paths of the files of a root that may be assets: nothing hidden, nothing half downloaded; of model
 * folders what they list. Links are followed in model folders (those are the administrator's), in the
 * others where --follow-links lets them.
 */
export function* filesOf(roots: AssetRoots, root: RootName): Generator<string> {
  if (root !== 'models') {
    const follows = (path: string): boolean =>
      roots.links !== 'refuse' && servablePath(roots, path) !== undefined;
    yield* walk(roots[root], { follows, above: [] });
    return;
  }
  for (const base of basesOf(roots, 'models')) {
    const folders = roots.models.filter(({ paths }) => paths.includes(base));
    for (const path of walk(base, { follows: () => true, above: [] })) {
      if (folders.some((folder) => loads(folder, path))) yield path;
    }
  }
}

/** `above`: the real paths of the folders on the way, so that no link leads round in a circle. */
function* walk(
  directory: string,
  { follows, above }: { follows: (link: string) => boolean; above: readonly string[] },
): Generator<string> {
  let entries: Dirent[];
  let real: string;
  try {
    real = realpathSync.native(directory);
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    return;
  }
  if (above.includes(real)) return;
  for (const entry of entries) {
    const { name } = entry;
    if (name.startsWith('.') || PARTIAL.has(extname(name).toLowerCase())) continue;
    const path = directory.endsWith(sep) ? directory + name : join(directory, name);
    const kind = entry.isSymbolicLink() ? (follows(path) ? target(path) : undefined) : entry;
    if (kind?.isDirectory()) yield* walk(path, { follows, above: [...above, real] });
    else if (kind?.isFile()) yield path;
  }
}

function target(path: string): { isDirectory(): boolean; isFile(): boolean } | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

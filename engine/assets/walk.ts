/** The files of the asset folders. */
import { extname } from 'node:path';
import { walkFiles } from '../store/walk.ts';
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

/** Whether a name is neither hidden nor that of a download under way. */
const isWhole = (name: string): boolean =>
  !name.startsWith('.') && !PARTIAL.has(extname(name).toLowerCase());

/**
 * Paths of the files of a root that may be assets: nothing hidden, nothing half downloaded; of model
 * folders what they list. Links are followed in model folders (those are the administrator's), in the
 * others where --follow-links lets them.
 */
export function* filesOf(roots: AssetRoots, root: RootName): Generator<string> {
  if (root !== 'models') {
    const follows = (path: string): boolean =>
      roots.links !== 'refuse' && servablePath(roots, path) !== undefined;
    yield* walkFiles(roots[root], { takes: isWhole, follows });
    return;
  }
  for (const base of basesOf(roots, 'models')) {
    const folders = roots.models.filter(({ paths }) => paths.includes(base));
    for (const path of walkFiles(base, { takes: isWhole })) {
      if (folders.some((folder) => loads(folder, path))) yield path;
    }
  }
}

/** Where the models that golden cases name lie. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { goldenDir } from '../support/golden.ts';

/**
 * A file of an area: in the folder that is being run, else in the area's usual folder (a folder of
 * further cases may come without the models). Throws naming the file when it is in neither.
 */
export function modelFile(dir: string, area: string, path: string): string {
  const found = findModelFile(dir, area, path);
  if (found !== undefined) return found;
  throw new Error(`model file '${path}' lies neither in '${dir}' nor in '${goldenDir(area)}'`);
}

/** The same; undefined when it is in neither. */
export function findModelFile(dir: string, area: string, path: string): string | undefined {
  return [dir, goldenDir(area)].map((root) => join(root, path)).find((file) => existsSync(file));
}

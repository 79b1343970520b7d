/** Where the models that golden cases name lie. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { goldenDir } from '../support/golden.ts';

/**
 * A file of an area: in the folder that is being run, else in the area's usual folder (a folder of
 * further cases may come without the models).
 */
export function modelFile(dir: string, area: string, path: string): string {
  const here = join(dir, path);
  return existsSync(here) ? here : join(goldenDir(area), path);
}

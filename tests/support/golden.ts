/** Where golden data lies: the full reference set when it is at hand, else our own selection. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const own = join(here, '../golden/data');
const shared = join(here, '../../../shared/golden');

/** The folder of an area: `../shared/golden/<area>` when present, else `tests/golden/data/<area>`. */
export function goldenDir(area: string): string {
  const full = join(shared, area);
  return existsSync(full) ? full : join(own, area);
}

/** The project's own selection only (always present in a plain clone). */
export function ownGoldenDir(area: string): string {
  return join(own, area);
}

/** Files of a golden folder with an ending, sorted; empty when the folder is missing. */
export function goldenFiles(dir: string, ending: string): string[] {
  return existsSync(dir)
    ? readdirSync(dir)
        .filter((name) => name.endsWith(ending))
        .sort()
    : [];
}

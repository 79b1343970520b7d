/** All nodes of an installation in this process: the built-in ones and those of packs. */
import type { NodeRegistry } from '../engine/graph/definition.ts';
import type { Log } from '../engine/log.ts';
import { loadPacks } from '../engine/packs/load-packs.ts';
import { builtinNodes } from './index.ts';

export interface PackSettings {
  /** Packs in the order in which they are loaded; see `findPacks`. */
  readonly paths: readonly string[];
  readonly log: Log;
  /** Hears before a pack's code runs. */
  readonly onLoading?: (path: string) => Promise<void>;
}

/**
 * The registry that an engine works with. A pack that cannot be loaded is left out and reported to
 * `log`; smaller problems are the business of whoever chose the packs (engine/packs).
 */
export async function loadNodes({ paths, log, onLoading }: PackSettings): Promise<NodeRegistry> {
  const builtin = builtinNodes();
  const { nodes, packs, problems } = await loadPacks({ paths, builtin, onLoading });
  for (const { pack, error, stack } of problems) {
    if (packs.some(({ id }) => id === pack)) continue;
    log('ERROR', `pack '${pack}' was not loaded: ${stack ?? error}`);
  }
  return new Map([...builtin, ...nodes]);
}

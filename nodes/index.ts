/** The built-in nodes. Order here is the order of `/object_info`. */
import type { NodeDefinition } from '../engine/node.ts';
import { conditioningNodes } from './conditioning.ts';
import { imageAnimationNodes } from './image-animation.ts';
import { imageFilterNodes } from './image-filters.ts';
import { imageIoNodes } from './image-io.ts';
import { imageNodes } from './image.ts';
import { latentIoNodes } from './latent-io.ts';
import { latentOperationNodes } from './latent-operations.ts';
import { latentNodes } from './latent.ts';
import { loaderNodes } from './loaders.ts';
import { maskNodes } from './mask.ts';
import { primitiveNodes } from './primitives.ts';
import { samplingNodes } from './sampling.ts';
import { stringNodes } from './strings.ts';
import { vaeNodes } from './vae.ts';

const lists: readonly (readonly NodeDefinition[])[] = [
  samplingNodes,
  loaderNodes,
  conditioningNodes,
  vaeNodes,
  latentNodes,
  imageIoNodes,
  imageNodes,
  imageFilterNodes,
  imageAnimationNodes,
  latentIoNodes,
  latentOperationNodes,
  maskNodes,
  primitiveNodes,
  stringNodes,
];

/** A new registry of all built-in nodes: class name -> definition. */
export function builtinNodes(): Map<string, NodeDefinition> {
  return new Map(lists.flat().map((definition) => [definition.name, definition]));
}

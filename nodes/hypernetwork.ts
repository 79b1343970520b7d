/** Hypernetworks on models. */
import { combo, float, inModule, model } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';

const defineNode = inModule('comfy_extras.nodes_hypernetwork', 'v1', { category: 'loaders' });

export const hypernetworkLoader = defineNode({
  name: 'HypernetworkLoader',
  displayName: 'HypernetworkLoader',
  description: 'Changes a model by a hypernetwork file, which stands before its keys and values.',
  inputs: {
    model: model(),
    hypernetwork_name: combo((source) => source.modelFiles('hypernetworks')),
    strength: float({ default: 1, min: -10, max: 10, step: 0.01 }),
  },
  outputs: [{ type: 'MODEL' }],
  async run({ model, hypernetwork_name, strength }, { services }) {
    const { openHypernetwork, withHypernetwork } = await import('../engine/values/hypernetwork.ts');
    const path = services.folders.modelFile('hypernetworks', hypernetwork_name);
    return [withHypernetwork(model, await openHypernetwork(path), strength)];
  },
});

export const hypernetworkNodes: readonly NodeDefinition[] = [hypernetworkLoader];

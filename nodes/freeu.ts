/** FreeU: what counts more and what less in a UNet's decoder. */
import { float, inModule, model } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';

const defineNode = inModule('comfy_extras.nodes_freelunch', 'v1', {
  category: 'model_patches/unet',
});

const factor = (value: number) => float({ default: value, min: 0, max: 10, step: 0.01 });

const freeu = (version: 1 | 2, name: string, [b1, b2]: readonly [number, number]) =>
  defineNode({
    name,
    displayName: name,
    description: 'Scales features and skip connections in the decoder: more detail, no training.',
    inputs: {
      model: model(),
      b1: factor(b1),
      b2: factor(b2),
      s1: factor(0.9),
      s2: factor(0.2),
    },
    outputs: [{ type: 'MODEL' }],
    async run({ model, ...factors }) {
      const { withFreeU } = await import('../engine/values/unet-patches.ts');
      return [withFreeU(model, { version, ...factors })];
    },
  });

export const freeuNodes: readonly NodeDefinition[] = [
  freeu(1, 'FreeU', [1.1, 1.2]),
  freeu(2, 'FreeU_V2', [1.3, 1.4]),
];

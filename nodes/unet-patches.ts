/** Patches of a UNet that save time. */
import { float, inModule, model } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';

const shared = { category: 'model_patches/unet', outputs: [{ type: 'MODEL' }] } as const;
const extras = (file: string) => inModule(`comfy_extras.${file}`, 'v3', shared);

/** Loaded when the first patch is made: a server only lists nodes. */
const patches = () => import('../engine/values/unet-patches.ts');

export const unetPatchNodes: readonly NodeDefinition[] = [
  extras('nodes_tomesd')({
    name: 'TomePatchModel',
    description: 'Merges tokens that are alike before the largest self-attentions.',
    inputs: { model: model({}), ratio: float({ default: 0.3, min: 0, max: 1, step: 0.01 }) },
    run: async ({ model, ratio }) => [(await patches()).withTokenMerging(model, ratio)],
  }),
];

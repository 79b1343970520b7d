/** Pictures made larger by networks. */
import { combo, image, inModule, socket } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import type { UpscaleModel } from '../engine/values/upscale-model.ts';

const define = inModule('comfy_extras.nodes_upscale_model', 'v3');

export const upscaleModelLoader = define({
  name: 'UpscaleModelLoader',
  displayName: 'Load Upscale Model',
  description: 'Opens a network that makes pictures larger: ESRGAN, SwinIR, HAT, DAT and others.',
  category: 'loaders',
  inputs: {
    model_name: combo((source) => source.modelFiles('upscale_models'), { multiselect: false }),
  },
  outputs: [{ type: 'UPSCALE_MODEL' }],
  async run({ model_name }, { services }) {
    const { loadUpscaleModel } = await import('../engine/values/upscale-model.ts');
    return [await loadUpscaleModel(services.folders.modelFile('upscale_models', model_name))];
  },
});

export const imageUpscaleWithModel = define({
  name: 'ImageUpscaleWithModel',
  displayName: 'Upscale Image (using Model)',
  description: 'Makes pictures larger by the factor that the model was trained for, in tiles.',
  category: 'image/upscaling',
  inputs: {
    upscale_model: socket<UpscaleModel>('UPSCALE_MODEL', {}, ['kind', 'scale']),
    image: image({}),
  },
  outputs: [{ type: 'IMAGE' }],
  async run({ upscale_model, image }, { services, signal, progress }) {
    const { upscale } = await import('../engine/values/upscale.ts');
    const { runtime } = services;
    return [await upscale(upscale_model, image, { runtime, signal }, { onTile: progress })];
  },
});

export const upscaleNodes: readonly NodeDefinition[] = [upscaleModelLoader, imageUpscaleWithModel];

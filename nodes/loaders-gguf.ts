/**
 * Loaders of GGUF files, as the extension ComfyUI-GGUF names them (Apache-2.0). Files are opened as every other
 * loader opens them; what a weight is kept in is its file's affair, so the extension's choices of types for
 * widening say nothing here.
 */
import {
  type ChoiceSource,
  type NodeDefinition,
  boolean,
  combo,
  defineNode,
} from '../engine/node.ts';
import type { Services } from '../engine/values/services.ts';
import { clipLoader, dualClipLoader } from './loaders.ts';

const opening = () => import('../engine/values/load-checkpoint.ts');

const define = { module: 'custom_nodes.ComfyUI-GGUF', category: 'bootleg', form: 'v1' } as const;

const unetNames = combo((source) => source.modelFiles('unet_gguf'));

async function openModel(name: string, { folders, families }: Services) {
  const { loadDiffusionModel } = await opening();
  return loadDiffusionModel(folders.modelFile('unet_gguf', name), families);
}

export const unetLoaderGguf = defineNode({
  ...define,
  name: 'UnetLoaderGGUF',
  displayName: 'Unet Loader (GGUF)',
  description: 'Opens a diffusion model that was written for ggml, with weights in 2 to 8 bits.',
  inputs: { unet_name: unetNames },
  outputs: [{ type: 'MODEL' }],
  run: async ({ unet_name }, { services }) => [await openModel(unet_name, services)],
});

const types = ['default', 'target', 'float32', 'float16', 'bfloat16'] as const;

export const unetLoaderGgufAdvanced = defineNode({
  ...define,
  name: 'UnetLoaderGGUFAdvanced',
  displayName: 'Unet Loader (GGUF/Advanced)',
  description:
    'The same. Weights are widened to what the device computes in, whatever is chosen here.',
  inputs: {
    unet_name: unetNames,
    dequant_dtype: combo([...types], { default: 'default' }),
    patch_dtype: combo([...types], { default: 'default' }),
    patch_on_device: boolean({ default: false }),
  },
  outputs: [{ type: 'MODEL' }],
  run: async ({ unet_name }, { services }) => [await openModel(unet_name, services)],
});

/** Text encoders of either kind of file. */
const clipNames = combo((source: ChoiceSource) =>
  [...source.modelFiles('text_encoders'), ...source.modelFiles('clip_gguf')].sort(),
);

async function openEncoders(names: readonly string[], type: string, { folders }: Services) {
  const { loadTextEncoders } = await opening();
  const paths = names.map((name) =>
    folders.modelFile(/\.gguf$/i.test(name) ? 'clip_gguf' : 'text_encoders', name),
  );
  return loadTextEncoders(paths, type);
}

export const clipLoaderGguf = defineNode({
  ...define,
  name: 'CLIPLoaderGGUF',
  displayName: 'CLIPLoader (GGUF)',
  inputs: { clip_name: clipNames, type: clipLoader.inputs.type },
  outputs: [{ type: 'CLIP' }],
  run: async ({ clip_name, type }, { services }) => [
    await openEncoders([clip_name], type as string, services),
  ],
});

export const dualClipLoaderGguf = defineNode({
  ...define,
  name: 'DualCLIPLoaderGGUF',
  displayName: 'DualCLIPLoader (GGUF)',
  inputs: { clip_name1: clipNames, clip_name2: clipNames, type: dualClipLoader.inputs.type },
  outputs: [{ type: 'CLIP' }],
  run: async ({ clip_name1, clip_name2, type }, { services }) => [
    await openEncoders([clip_name1, clip_name2], type as string, services),
  ],
});

export const tripleClipLoaderGguf = defineNode({
  ...define,
  name: 'TripleCLIPLoaderGGUF',
  displayName: 'TripleCLIPLoader (GGUF)',
  inputs: { clip_name1: clipNames, clip_name2: clipNames, clip_name3: clipNames },
  outputs: [{ type: 'CLIP' }],
  run: async ({ clip_name1, clip_name2, clip_name3 }, { services }) => [
    await openEncoders([clip_name1, clip_name2, clip_name3], 'sd3', services),
  ],
});

export const ggufLoaderNodes: readonly NodeDefinition[] = [
  unetLoaderGguf,
  unetLoaderGgufAdvanced,
  clipLoaderGguf,
  dualClipLoaderGguf,
  tripleClipLoaderGguf,
];

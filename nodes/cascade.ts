/** Nodes of Stable Cascade that need its autoencoders. */
import { zeros } from '../engine/array/nd.ts';
import { channelsLast } from '../engine/array/layout.ts';
import { upscaleImage } from '../engine/array/resize.ts';
import { image, inModule, int, vae } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { encode, requireVae } from '../engine/values/vae.ts';
import { networkRun } from './prompt-run.ts';

const define = inModule('comfy_extras.nodes_stable_cascade', 'v3', {
  category: 'latent/stable_cascade',
});

const stages = [
  { type: 'LATENT', name: 'stage_c' },
  { type: 'LATENT', name: 'stage_b' },
] as const;

/** Cells of `space` pixels along the sides of pictures [b, h, w, c]. */
const cellsOf = ([, height, width]: readonly number[], space: number): [number, number] => [
  Math.floor(height / space),
  Math.floor(width / space),
];

export const cascadeStageCEncode = define({
  name: 'StableCascade_StageC_VAEEncode',
  description: 'Pictures as latents of stage C, and empty ones of their size for stage B.',
  inputs: {
    image: image({}),
    vae: vae({}),
    compression: int({ default: 42, min: 4, max: 128, step: 1 }),
  },
  outputs: stages,
  async run({ image: pictures, vae: model, compression }, context) {
    const { space } = requireVae(model).factor;
    const [height, width] = cellsOf(pictures.shape, compression).map((cells) => cells * space);
    const sized = upscaleImage(pictures, width, height, 'bicubic', 'center');
    const samples = await encode(model, sized, networkRun(context));
    const cells = cellsOf(pictures.shape, 8).map((count) => count * 2);
    return [{ samples }, { samples: zeros([samples.shape[0], 4, ...cells]) }];
  },
});

export const cascadeSuperResolution = define({
  name: 'StableCascade_SuperResolutionControlnet',
  description:
    'What a control network for super resolution reads of pictures, and empty latents of twice their size.',
  category: '_for_testing/stable_cascade',
  experimental: true,
  inputs: { image: image({}), vae: vae({}) },
  outputs: [{ type: 'IMAGE', name: 'controlnet_input' }, ...stages],
  async run({ image: pictures, vae: model }, context) {
    const latent = await encode(model, pictures, networkRun(context));
    const empty = (channels: number, space: number) => ({
      samples: zeros([pictures.shape[0], channels, ...cellsOf(pictures.shape, space)]),
    });
    return [channelsLast(latent), empty(16, 16), empty(4, 2)];
  },
});

export const cascadeNodes: readonly NodeDefinition[] = [
  cascadeStageCEncode,
  cascadeSuperResolution,
];

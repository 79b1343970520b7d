/** Nodes between pictures and latents. */
import { defineNode, image, int, latent, mask, vae } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { reshape } from '../engine/array/nd.ts';
import { encodeForInpaint } from '../engine/values/inpaint.ts';
import { decode, decodeTiled, encode, encodeTiled } from '../engine/values/vae.ts';
import { networkRun } from './prompt-run.ts';

const base = { category: 'latent', module: 'nodes', form: 'v1' } as const;
export const vaeDecode = defineNode({
  ...base,
  name: 'VAEDecode',
  displayName: 'VAE Decode',
  description: 'Turns latents into pictures.',
  inputs: {
    samples: latent({ tooltip: 'The latents.' }),
    vae: vae({ tooltip: 'The autoencoder of the model the latents come from.' }),
  },
  outputs: [{ type: 'IMAGE', tooltip: 'The pictures.' }],
  run: async ({ samples, vae: model }, context) => [
    await decode(model, samples.samples, networkRun(context)),
  ],
});

export const vaeEncode = defineNode({
  ...base,
  name: 'VAEEncode',
  displayName: 'VAE Encode',
  inputs: { pixels: image(), vae: vae() },
  outputs: [{ type: 'LATENT' }],
  run: async ({ pixels, vae: model }, context) => [
    { samples: await encode(model, pixels, networkRun(context)) },
  ],
});

/**
 * The overlap that is used: a quarter of a tile in place of one that is too large. To decode, more
 * than a quarter is too large; to encode, what leaves the narrow tiles (half a tile wide) no way
 * forward, where the reference fails.
 */
const usableOverlap = (tile: number, overlap: number, tooLarge: boolean): number =>
  tooLarge ? Math.floor(tile / 4) : overlap;

const tileInputs = (step: number) => ({
  tile_size: int({ default: 512, min: 64, max: 4096, step }),
  overlap: int({ default: 64, min: 0, max: 4096, step: 32 }),
  temporal_size: int({ default: 64, min: 8, max: 4096, step: 4 }),
  temporal_overlap: int({ default: 8, min: 4, max: 4096, step: 4 }),
});

export const vaeDecodeTiled = defineNode({
  ...base,
  name: 'VAEDecodeTiled',
  displayName: 'VAE Decode (Tiled)',
  category: '_for_testing',
  inputs: { samples: latent(), vae: vae(), ...tileInputs(32) },
  outputs: [{ type: 'IMAGE' }],
  async run({ samples, vae: model, tile_size: tile, overlap }, context) {
    const used = usableOverlap(tile, overlap, overlap > tile / 4);
    return [
      await decodeTiled(model, samples.samples, { tile, overlap: used }, networkRun(context)),
    ];
  },
});

export const vaeEncodeTiled = defineNode({
  ...base,
  name: 'VAEEncodeTiled',
  displayName: 'VAE Encode (Tiled)',
  category: '_for_testing',
  inputs: { pixels: image(), vae: vae(), ...tileInputs(64) },
  outputs: [{ type: 'LATENT' }],
  async run({ pixels, vae: model, tile_size: tile, overlap }, context) {
    const used = usableOverlap(tile, overlap, overlap >= tile / 2);
    const size = { tile, overlap: used };
    return [{ samples: await encodeTiled(model, pixels, size, networkRun(context)) }];
  },
});

export const vaeEncodeForInpaint = defineNode({
  ...base,
  name: 'VAEEncodeForInpaint',
  displayName: 'VAE Encode (for Inpainting)',
  category: 'latent/inpaint',
  inputs: {
    pixels: image(),
    vae: vae(),
    mask: mask(),
    grow_mask_by: int({ default: 6, min: 0, max: 64, step: 1 }),
  },
  outputs: [{ type: 'LATENT' }],
  run: async ({ pixels, vae: model, mask: region, grow_mask_by }, context) => [
    await encodeForInpaint(model, pixels, region, grow_mask_by, networkRun(context)),
  ],
});

export const setLatentNoiseMask = defineNode({
  ...base,
  name: 'SetLatentNoiseMask',
  displayName: 'Set Latent Noise Mask',
  category: 'latent/inpaint',
  inputs: { samples: latent(), mask: mask() },
  outputs: [{ type: 'LATENT' }],
  run({ samples, mask: region }) {
    const [height, width] = region.shape.slice(-2);
    const count = region.data.length / (height * width);
    return [{ ...samples, noise_mask: reshape(region, [count, 1, height, width]) }];
  },
});

export const vaeNodes: readonly NodeDefinition[] = [
  vaeDecode,
  vaeEncode,
  vaeEncodeForInpaint,
  vaeDecodeTiled,
  vaeEncodeTiled,
  setLatentNoiseMask,
];

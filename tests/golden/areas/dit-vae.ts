/** Golden area `dit-vae`: autoencoders of diffusion transformers. Latent formats: area `vae`. */
import { join } from 'node:path';
import { goldenFiles } from '../../support/golden.ts';
import type { GoldenArea } from '../area.ts';
import { autoencoderCase } from '../dit/autoencoder.ts';
import { openCase } from '../open-case.ts';

const ending = '.safetensors';

export const area: GoldenArea = {
  name: 'dit-vae',
  list: async (dir) =>
    goldenFiles(dir, ending)
      .filter((file) => !file.startsWith('model_'))
      .map((file) => file.slice(0, -ending.length)),
  async run(dir, name) {
    const golden = await openCase<{ readonly model?: string }>(join(dir, `${name}${ending}`));
    if (golden.params.model === undefined) return { skip: 'no model' };
    return autoencoderCase(dir, 'dit-vae', golden);
  },
};

/** Stable Diffusion 1.x, its inpaint model and InstructPix2Pix. */
import { defineFamily } from '../family.ts';
import { unetPlaces } from '../residual-places.ts';
import { detectUNet } from '../unet.ts';
import { alone, clipL } from './text-encoders.ts';
import { contextWidth, extraChannels, knownChannels, unetNetwork } from './unet-network.ts';

export const sd1 = defineFamily({
  name: 'sd1',
  title: 'Stable Diffusion 1.x',
  detect({ model, file }) {
    const config = detectUNet(model);
    if (!config || config.contextWidth === undefined || config.temporal) return undefined;
    if (config.linearProjection || config.admWidth !== undefined || !knownChannels(config)) {
      return undefined;
    }
    // Zero123 is an SD1 instruct model whose condition is projected from a view
    return file.has('cc_projection') ? undefined : config;
  },
  sampling: async () => ({ prediction: 'eps', schedule: {} }),
  vaePrefixes: ['first_stage_model.'],
  text: alone(clipL),
  textPrefixes: [['cond_stage_model.transformer.']],
  repeatsText: true,
  latentFormat: 'SD15',
  memoryFactor: 1,
  contextWidth,
  extraChannels,
  residuals: unetPlaces,
  network: (g, config) => unetNetwork(g, config),
});

/**
 * The x4 upscaler of Stable Diffusion 2: told by the three colours beside the latent and a table of noise
 * levels in place of a vector condition. A latent cell stands for 4 pixels.
 */
import { cast } from '../../tensor/nn.ts';
import { defineFamily } from '../family.ts';
import { detectUNet } from '../unet.ts';
import { sd2 } from './sd2.ts';
import { unetNetwork } from './unet-network.ts';

export const sdX4Upscaler = defineFamily({
  ...sd2,
  name: 'sd-x4-upscaler',
  title: 'Stable Diffusion x4 upscaler',
  detect({ model }) {
    const config = detectUNet(model);
    if (!config || config.contextWidth === undefined || config.temporal) return undefined;
    return config.inChannels === 7 && model.has('label_emb.weight') ? config : undefined;
  },
  sampling: async () => ({
    prediction: 'v',
    schedule: { linearStart: 0.0001, linearEnd: 0.02 },
  }),
  latentFormat: 'SD_X4',
  extraChannels: () => 'low-resolution',
  network: (g, config) =>
    unetNetwork(g, config, (graph) => cast(graph.input('level', 'f32', ['batch']), 'i64')),
});

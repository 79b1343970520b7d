/** Stable Diffusion 2.1 unCLIP: told by the embeddings of pictures beside the text. */
import { defineFamily } from '../family.ts';
import { detectUNet } from '../unet.ts';
import { sd2 } from './sd2.ts';
import { knownChannels, unetNetwork } from './unet-network.ts';

/** The vector condition of Lotus-D, which is no picture. */
const lotusWidth = 4;

export const sd2Unclip = defineFamily({
  ...sd2,
  name: 'sd2-unclip',
  title: 'Stable Diffusion 2.1 unCLIP',
  detect({ model }) {
    const config = detectUNet(model);
    if (!config || config.contextWidth === undefined || config.temporal) return undefined;
    const { admWidth, depths, linearProjection } = config;
    if (!linearProjection || admWidth === undefined || admWidth === lotusWidth) return undefined;
    // SDXL has a vector too, but no attention at the outermost level
    return depths[1] > 0 && admWidth % 2 === 0 && knownChannels(config) ? config : undefined;
  },
  visionPrefix: 'embedder.model.visual.',
  vector: {
    // the embedding, noised, and how much
    pooledWidth: ({ admWidth }) => admWidth!,
    pictures: { width: ({ admWidth }) => admWidth! / 2, mergeNoise: 0.05 },
    picturesOnly: true,
    numbers: () => [],
  },
  network: (g, config) =>
    unetNetwork(g, config, (graph) => graph.input('pooled', 'f32', ['batch', config.admWidth!])),
});

/** Stable Diffusion 1.x, its inpaint model and InstructPix2Pix. */
import type { Family, TextEncoderSpec } from '../family.ts';
import { detectUNet } from '../unet.ts';
import { extraChannels, knownChannels, unetNetwork } from './unet-network.ts';

/** CLIP-L as SD1 uses it: the last layer with its norm. */
export const clipL: TextEncoderSpec = {
  name: 'clip_l',
  activation: 'quickGelu',
  layer: -1,
  finalNorm: true,
  projected: false,
  pad: 'end',
  maskPadding: false,
};

export const sd1: Family = {
  name: 'sd1',
  title: 'Stable Diffusion 1.x',
  detect({ model, file }) {
    const config = detectUNet(model);
    if (!config || config.contextWidth === undefined || config.temporal) return undefined;
    if (config.linearProjection || config.admWidth !== undefined || !knownChannels(config)) {
      return undefined;
    }
    // Zero123 is an SD1 instruct model whose condition is a projected camera pose
    return file.has('cc_projection') ? undefined : config;
  },
  sampling: async () => ({ prediction: 'eps', schedule: {} }),
  vaePrefixes: ['first_stage_model.'],
  text: { encoders: [clipL], pooledFrom: 0 },
  textPrefixes: [['cond_stage_model.transformer.']],
  latentFormat: 'SD15',
  memoryFactor: 1,
  extraChannels,
  network: (g, config) => unetNetwork(g, config),
};

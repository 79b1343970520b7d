/** Stable Diffusion 2.x and its inpaint model. */
import { defineFamily } from '../family.ts';
import { unetPlaces } from '../residual-places.ts';
import { detectUNet } from '../unet.ts';
import { alone, clipH } from './text-encoders.ts';
import { contextWidth, extraChannels, knownChannels, unetNetwork } from './unet-network.ts';

export const sd2 = defineFamily({
  name: 'sd2',
  title: 'Stable Diffusion 2.x',
  detect({ model }) {
    const config = detectUNet(model);
    if (!config || config.contextWidth === undefined || config.temporal) return undefined;
    const plain = config.linearProjection && config.admWidth === undefined;
    return plain && knownChannels(config) ? config : undefined;
  },
  async sampling({ model, values }, config) {
    // the 768 model predicts v; nothing in the file says so, but training left a trace in this bias
    const bias = await values(model, 'output_blocks.11.1.transformer_blocks.0.norm1.bias');
    const predictsV = config.inChannels === 4 && bias !== undefined && deviation(bias) > 0.09;
    return { prediction: predictsV ? 'v' : 'eps', schedule: {} };
  },
  vaePrefixes: ['first_stage_model.'],
  text: alone(clipH),
  textPrefixes: [['cond_stage_model.model.', 'conditioner.embedders.0.model.']],
  repeatsText: true,
  latentFormat: 'SD15',
  memoryFactor: 1,
  contextWidth,
  extraChannels,
  residuals: unetPlaces,
  network: (g, config) => unetNetwork(g, config),
});

/** Population standard deviation. */
function deviation(x: Float32Array): number {
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
  return Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length);
}

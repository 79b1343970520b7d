/** Ovis-Image and LongCat-Image, which share Flux's network and autoencoder. */
import { defineFamily } from '../family.ts';
import { detectLongCatImage, detectOvisImage } from '../flux-kin.ts';
import { type FluxConfig, flux } from '../flux.ts';
import { ditInputs, referencesOf } from './dit-inputs.ts';
import { flux1 } from './flux.ts';
import { qwen25vlOfLongCat } from './longcat-text.ts';
import { qwen3of2b } from './sequence-encoders.ts';
import { alone } from './text-encoders.ts';

export const ovisImage = defineFamily<FluxConfig>({
  ...flux1,
  name: 'ovis-image',
  title: 'Ovis-Image',
  detect: ({ model }) => detectOvisImage(model),
  sampling: async () => ({ prediction: 'flow', schedule: { shift: 1, multiplier: 1 } }),
  text: alone(qwen3of2b),
  textPrefixes: [['text_encoders.qwen3_2b.transformer.']],
  conditions: () => [
    { kind: 'references', methods: ['offset', 'index', 'index_timestep_zero', 'uxo'] },
  ],
  network(g, config, given) {
    const inputs = { ...ditInputs(g, config), ...referencesOf(g, given, config.outChannels) };
    return { out: flux(g.weights, inputs, config) };
  },
});

export const longCatImage = defineFamily<FluxConfig>({
  ...ovisImage,
  name: 'longcat-image',
  title: 'LongCat-Image',
  detect: ({ model }) => detectLongCatImage(model),
  sampling: async () => ({ prediction: 'flow', schedule: { type: 'flux', shift: 1.15 } }),
  text: alone(qwen25vlOfLongCat),
  textPrefixes: [['text_encoders.qwen25_7b.transformer.']],
  memoryFactor: 2.5,
});

/** HiDream-I1 (full, dev, fast) and HiDream-E1, which gets the picture to change beside the noisy one. */
import { defineFamily } from '../family.ts';
import { detectHiDream, hiDream as network } from '../hidream.ts';
import { ditInputs } from './dit-inputs.ts';
import { hidreamText } from './text-sides.ts';

const encoders = ['clip_l', 'clip_g', 't5xxl', 'llama'];

export const hiDream = defineFamily({
  name: 'hidream',
  title: 'HiDream',
  detect: ({ model }) => detectHiDream(model),
  sampling: async () => ({ prediction: 'flow', schedule: { shift: 1 } }),
  vaePrefixes: ['vae.'],
  text: hidreamText(encoders),
  textPrefixes: encoders.map((name) => [`text_encoders.${name}.transformer.`]),
  latentFormat: 'Flux',
  memoryFactor: 2,
  fullPrecision: true,
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels: () => 'none',
  conditions: ({ pooledWidth, layers, statesWidth }) => [
    { kind: 'pooled', width: pooledWidth },
    { kind: 'states', count: Math.max(...layers) + 1, width: statesWidth },
    { kind: 'beside' },
  ],
  network(g, config, given) {
    const { inChannels, pooledWidth, statesWidth, layers } = config;
    const count = Math.max(...layers) + 1;
    const inputs = {
      ...ditInputs(g, config),
      pooled: g.input('pooled', 'f32', ['batch', pooledWidth]),
      states: g.input('states', 'f32', ['batch', count, 'state_tokens', statesWidth]),
      ...(given.has('beside') && {
        beside: g.input('beside', 'f32', ['batch', inChannels, 'height', 'beside_width']),
      }),
    };
    return { out: network(g.weights, inputs, config) };
  },
});

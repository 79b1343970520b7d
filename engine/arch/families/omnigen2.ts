/** OmniGen2. */
import { defineFamily } from '../family.ts';
import { detectOmniGen2, omniGen2 as network } from '../omnigen2.ts';
import { ditInputs, referencesOf } from './dit-inputs.ts';
import { qwen25of3b } from './sequence-encoders.ts';
import { alone } from './text-encoders.ts';

export const omniGen2 = defineFamily({
  name: 'omnigen2',
  title: 'OmniGen2',
  detect: ({ model }) => detectOmniGen2(model),
  sampling: async () => ({ prediction: 'flow', schedule: { shift: 2.6, multiplier: 1 } }),
  vaePrefixes: ['vae.'],
  text: alone(qwen25of3b),
  textPrefixes: [['text_encoders.qwen25_3b.transformer.']],
  latentFormat: 'Flux',
  memoryFactor: 1.65,
  fullPrecision: true,
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels: () => 'none',
  conditions: () => [{ kind: 'trimmed-text' }, { kind: 'references', methods: ['index'] }],
  network(g, config, given) {
    const { references } = referencesOf(g, given, config.inChannels);
    const latents = references.map(({ latent }) => latent);
    return { out: network(g.weights, { ...ditInputs(g, config), references: latents }, config) };
  },
});

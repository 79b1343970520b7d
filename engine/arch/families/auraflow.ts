/** AuraFlow, and Pony V7 on it. */
import { auraFlow as network, detectAuraFlow } from '../auraflow.ts';
import { defineFamily } from '../family.ts';
import { ditInputs } from './dit-inputs.ts';
import { pileT5xl } from './sequence-encoders.ts';
import { alone } from './text-encoders.ts';

export const auraFlow = defineFamily({
  name: 'auraflow',
  title: 'AuraFlow',
  detect: ({ model }) => detectAuraFlow(model),
  sampling: async () => ({ prediction: 'flow', schedule: { shift: 1.73, multiplier: 1 } }),
  vaePrefixes: ['vae.'],
  text: alone(pileT5xl),
  textPrefixes: [['text_encoders.pile_t5xl.transformer.']],
  latentFormat: 'SDXL',
  memoryFactor: 1.25,
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels: () => 'none',
  blocks: { double: 'double_layers', single: 'single_layers' },
  network: (g, config) => ({ out: network(g.weights, ditInputs(g, config), config) }),
});

/** Lumina 2 and Z-Image (Turbo, Base), which share their network. */
import { defineFamily } from '../family.ts';
import { type LuminaConfig, detectLumina, lumina } from '../lumina.ts';
import { ditInputs } from './dit-inputs.ts';
import { gemma2, qwen3of4b } from './sequence-encoders.ts';
import { alone } from './text-encoders.ts';

export const lumina2 = defineFamily<LuminaConfig>({
  name: 'lumina2',
  title: 'Lumina 2',
  detect: ({ model }) => (model.has('cap_pad_token') ? undefined : detectLumina(model)),
  sampling: async () => ({ prediction: 'flow', schedule: { shift: 6, multiplier: 1 } }),
  vaePrefixes: ['vae.'],
  text: alone(gemma2),
  textPrefixes: [['text_encoders.gemma2_2b.transformer.']],
  latentFormat: 'Flux',
  memoryFactor: 1.4,
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels: () => 'none',
  conditions: () => [{ kind: 'trimmed-text' }],
  network: (g, config) => ({ out: lumina(g.weights, ditInputs(g, config), config) }),
});

export const zImage = defineFamily<LuminaConfig>({
  ...lumina2,
  name: 'z-image',
  title: 'Z-Image',
  detect({ model }) {
    const isOmni = model.has('siglip_embedder');
    return model.has('cap_pad_token') && !isOmni ? detectLumina(model) : undefined;
  },
  sampling: async () => ({ prediction: 'flow', schedule: { shift: 3, multiplier: 1 } }),
  text: alone(qwen3of4b),
  textPrefixes: [['text_encoders.qwen3_4b.transformer.']],
  memoryFactor: 2,
  conditions: () => [],
});

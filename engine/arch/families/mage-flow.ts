/** Mage-Flow; its text encoder is Qwen3-VL 4B, of which the words are read here. */
import { defineFamily } from '../family.ts';
import { type MageFlowConfig, detectMageFlow, mageFlow as network } from '../mage-flow.ts';
import type { LanguageModelSpec } from '../sequence-spec.ts';
import { ditInputs, referencesOf } from './dit-inputs.ts';
import { qwen25vl, qwen3of4b, qwenUserTurn } from './sequence-encoders.ts';
import { alone } from './text-encoders.ts';

export const qwen3vlOf4b: LanguageModelSpec = {
  ...qwen3of4b,
  facts: { ...qwen3of4b.facts, rope: [{ theta: 5_000_000 }] },
  states: 'last',
  mask: undefined,
  template: qwen25vl.template,
  pictureTemplate: qwen25vl.pictureTemplate,
  pictureToken: qwen25vl.pictureToken,
  templated: ['<|im_start|>'],
  crop: qwenUserTurn,
};

export const mageFlow = defineFamily<MageFlowConfig>({
  name: 'mage-flow',
  title: 'Mage-Flow',
  detect: ({ model }) => detectMageFlow(model),
  sampling: async () => ({ prediction: 'flow', schedule: { shift: 6, multiplier: 1 } }),
  vaePrefixes: ['vae.'],
  text: alone(qwen3vlOf4b),
  textPrefixes: [['text_encoders.qwen3vl_4b.transformer.']],
  latentFormat: 'Flux2',
  memoryFactor: 6.5,
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels: () => 'none',
  conditions: () => [{ kind: 'references', methods: ['index'], patch: 1 }],
  network(g, config, given) {
    const { references } = referencesOf(g, given, config.inChannels);
    return { out: network(g.weights, { ...ditInputs(g, config), references }, config) };
  },
});

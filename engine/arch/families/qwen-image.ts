/** Qwen-Image, Edit (2509, 2511) and Layered, told apart by marks in their files. */
import { type ReferenceMethod, defineFamily } from '../family.ts';
import { type QwenImageConfig, detectQwenImage, qwenImage as network } from '../qwen-image.ts';
import { ditInputs, referencesOf } from './dit-inputs.ts';
import { qwenImagePlaces } from '../qwen-image-controlnet.ts';
import { qwen25vl } from './sequence-encoders.ts';
import { alone } from './text-encoders.ts';

export const qwenImage = defineFamily<QwenImageConfig>({
  name: 'qwen-image',
  title: 'Qwen-Image',
  detect: ({ model }) => detectQwenImage(model),
  sampling: async () => ({ prediction: 'flow', schedule: { type: 'flux', shift: 1.15 } }),
  vaePrefixes: ['vae.'],
  text: alone(qwen25vl),
  textPrefixes: [['text_encoders.qwen25_7b.transformer.']],
  latentFormat: 'Wan21',
  memoryFactor: 1.8,
  fullPrecision: true,
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels: () => 'none',
  blocks: { double: 'transformer_blocks' },
  residuals: qwenImagePlaces,
  conditions: (config) => [{ kind: 'references', methods: methodsOf(config) }],
  network(g, config, given) {
    const seen = referencesOf(g, given, config.outChannels, [1]);
    const inputs = ditInputs(g, config, ['frames']);
    return { out: network(g.weights, { ...inputs, ...seen }, config) };
  },
});

/** How references are placed, first the one that the file was trained with. */
function methodsOf({ layered, cleanReferences }: QwenImageConfig): readonly ReferenceMethod[] {
  const all = ['index', 'index_timestep_zero', 'negative_index'] as const;
  const own = layered ? 'negative_index' : cleanReferences ? 'index_timestep_zero' : 'index';
  return [own, ...all.filter((method) => method !== own)];
}

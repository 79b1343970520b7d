/** Lumina 2 and Z-Image (Turbo, Base, Omni), which share their network. */
import type { Tensor } from '../../tensor/tensor.ts';
import type { Graph } from '../../tensor/trace.ts';
import { defineFamily } from '../family.ts';
import { type LuminaConfig, detectLumina, lumina } from '../lumina.ts';
import { ditInputs, referencesOf } from './dit-inputs.ts';
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
  fullPrecision: true,
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels: () => 'none',
  conditions: () => [{ kind: 'trimmed-text' }],
  network: (g, config) => ({ out: lumina(g.weights, ditInputs(g, config), config) }),
});

export const zImage = defineFamily<LuminaConfig>({
  ...lumina2,
  name: 'z-image',
  title: 'Z-Image',
  detect: ({ model }) => (model.has('cap_pad_token') ? detectLumina(model) : undefined),
  sampling: async () => ({ prediction: 'flow', schedule: { shift: 3, multiplier: 1 } }),
  text: alone(qwen3of4b),
  textPrefixes: [['text_encoders.qwen3_4b.transformer.']],
  memoryFactor: 2,
  conditions: ({ contextWidth, viewWidth }) => [
    { kind: 'references', methods: ['index'] },
    { kind: 'reference-words', width: contextWidth },
    ...(viewWidth > 0 ? [{ kind: 'reference-views', width: viewWidth } as const] : []),
  ],
  network(g, config, given) {
    const inputs = { ...ditInputs(g, config), ...seenInputs(g, config, given) };
    return { out: lumina(g.weights, inputs, config) };
  },
});

/** Pictures to look at, with words before them and what an encoder saw of them; further words close the sequence. */
function seenInputs(
  g: Graph,
  { inChannels, contextWidth, viewWidth }: LuminaConfig,
  given: ReadonlySet<string>,
) {
  const wordsAt = (i: number): Tensor =>
    g.input(`words${i}`, 'f32', ['batch', `tokens${i}`, contextWidth]);
  const viewAt = (i: number): Tensor =>
    g.input(`view${i}`, 'f32', ['batch', `viewRows${i}`, `viewColumns${i}`, viewWidth]);
  const latents = referencesOf(g, given, inChannels).references.map(({ latent }) => latent);
  const references = latents.map((latent, i) => ({
    latent,
    words: given.has(`words${i}`) ? wordsAt(i) : undefined,
    view: given.has(`view${i}`) ? viewAt(i) : undefined,
  }));
  const closing: Tensor[] = [];
  for (let i = latents.length; given.has(`words${i}`); i++) closing.push(wordsAt(i));
  return { references, closing };
}

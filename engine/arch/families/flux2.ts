/** FLUX.2: dev and klein, told apart by the guidance that dev was distilled with. */
import { defineFamily } from '../family.ts';
import { fluxPlaces } from '../flux-controlnet.ts';
import { detectFlux2, flux2 as network } from '../flux2.ts';
import { ditInputs, referencesOf } from './dit-inputs.ts';
import { qwen3of4bOfKlein } from './sequence-encoders.ts';
import { alone } from './text-encoders.ts';

export const flux2 = defineFamily({
  name: 'flux2',
  title: 'FLUX.2',
  detect: ({ model }) => detectFlux2(model),
  sampling: async () => ({ prediction: 'flow', schedule: { type: 'flux', shift: 2.02 } }),
  vaePrefixes: ['vae.'],
  text: alone(qwen3of4bOfKlein),
  textPrefixes: [['text_encoders.qwen3_4b.transformer.']],
  latentFormat: 'Flux2',
  memoryFactor: 3.1,
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels: () => 'none',
  blocks: { double: 'double_blocks', single: 'single_blocks' },
  residuals: (w) => fluxPlaces(w, 1),
  conditions: ({ guided }) => [
    ...(guided ? [{ kind: 'guidance', otherwise: 3.5 } as const] : []),
    {
      kind: 'references',
      methods: ['index', 'offset', 'index_timestep_zero', 'uxo'],
      patch: 1,
      apart: 10,
    },
    { kind: 'padded-text', atLeast: 512 },
  ],
  network(g, config, given) {
    const guidance = given.has('guidance') ? g.input('guidance', 'f32', ['batch']) : undefined;
    const seen = referencesOf(g, given, config.outChannels);
    const inputs = { ...ditInputs(g, config), guidance, ...seen };
    return { out: network(g.weights, inputs, config) };
  },
});

/** Chroma: Flux with modulations from one small network, and T5's text alone. */
import { detectChroma, chroma } from '../chroma.ts';
import { defineFamily } from '../family.ts';
import { ditInputs } from './dit-inputs.ts';
import { flux1 } from './flux.ts';
import { t5xxlOfPixart } from './sequence-encoders.ts';
import { alone } from './text-encoders.ts';

export const chroma1 = defineFamily({
  ...flux1,
  name: 'chroma',
  title: 'Chroma',
  detect: ({ model }) => detectChroma(model),
  text: alone(t5xxlOfPixart),
  textPrefixes: [['text_encoders.t5xxl.transformer.']],
  sampling: async () => ({ prediction: 'flow', schedule: { type: 'flux', shift: 1.15 } }),
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels: () => 'none',
  conditions: () => [{ kind: 'guidance', otherwise: 0 }, { kind: 'attention-bias' }],
  network(g, config) {
    const guidance = g.input('guidance', 'f32', ['batch']);
    return { out: chroma(g.weights, { ...ditInputs(g, config), guidance }, config) };
  },
});

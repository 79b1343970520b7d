/** Chroma: Flux with modulations from one small network, and T5's text alone; Radiance, the same on pixels. */
import {
  type ChromaRadianceConfig,
  chromaRadiance as radiance,
  detectChromaRadiance,
} from '../chroma-radiance.ts';
import { chroma, detectChroma } from '../chroma.ts';
import { type Condition, defineFamily } from '../family.ts';
import { fluxPlaces } from '../flux-controlnet.ts';
import type { FluxConfig } from '../flux.ts';
import { ditInputs } from './dit-inputs.ts';
import { t5xxlOfPixart } from './sequence-encoders.ts';
import { alone } from './text-encoders.ts';

const common = {
  sampling: async () => ({
    prediction: 'flow' as const,
    schedule: { type: 'flux', shift: 1.15 },
  }),
  vaePrefixes: ['first_stage_model.', 'vae.'],
  text: alone(t5xxlOfPixart),
  textPrefixes: [['cond_stage_model.t5xxl.transformer.', 'text_encoders.t5xxl.transformer.']],
  extraChannels: () => 'none' as const,
  conditions: (): readonly Condition[] => [{ kind: 'guidance', otherwise: 0 }],
};

export const chroma1 = defineFamily<FluxConfig>({
  ...common,
  name: 'chroma',
  title: 'Chroma',
  detect: ({ model }) => detectChroma(model),
  latentFormat: 'Flux',
  memoryFactor: 3.2,
  contextWidth: ({ contextWidth }) => contextWidth,
  conditions: () => [...common.conditions(), { kind: 'attention-bias' }],
  residuals: fluxPlaces,
  network(g, config) {
    const guidance = g.input('guidance', 'f32', ['batch']);
    return { out: chroma(g.weights, { ...ditInputs(g, config), guidance }, config) };
  },
});

export const chromaRadiance = defineFamily<ChromaRadianceConfig>({
  ...common,
  name: 'chroma-radiance',
  title: 'Chroma Radiance',
  detect: ({ model }) => detectChromaRadiance(model),
  latentFormat: 'ChromaRadiance',
  memoryFactor: 0.038,
  contextWidth: ({ contextWidth }) => contextWidth,
  network(g, config) {
    const guidance = g.input('guidance', 'f32', ['batch']);
    return { out: radiance(g.weights, { ...ditInputs(g, config), guidance }, config) };
  },
});

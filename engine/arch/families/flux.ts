/** FLUX.1: dev (also Kontext), schnell, and dev's Fill, Canny and Depth, told apart by their channels. */
import type { SamplingSettings } from '../../sampling/model-sampling.ts';
import { type ExtraChannels, defineFamily } from '../family.ts';
import { type FluxConfig, detectFlux, flux } from '../flux.ts';
import { fluxPlaces } from '../flux-controlnet.ts';
import { ditInputs, referencesOf } from './dit-inputs.ts';
import { fluxText } from './text-sides.ts';

export const flux1 = defineFamily<FluxConfig>({
  name: 'flux',
  title: 'Flux',
  detect: ({ model }) => detectFlux(model),
  async sampling(_, { guided }): Promise<SamplingSettings> {
    return {
      prediction: 'flow',
      schedule: guided ? { type: 'flux', shift: 1.15 } : { shift: 1, multiplier: 1 },
    };
  },
  vaePrefixes: ['vae.'],
  text: fluxText,
  textPrefixes: [['text_encoders.clip_l.transformer.'], ['text_encoders.t5xxl.transformer.']],
  latentFormat: 'Flux',
  memoryFactor: 3.1,
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels,
  blocks: { double: 'double_blocks', single: 'single_blocks' },
  residuals: fluxPlaces,
  conditions: ({ pooledWidth, guided }) => [
    { kind: 'pooled', width: pooledWidth },
    ...(guided ? [{ kind: 'guidance', otherwise: 3.5 } as const] : []),
    { kind: 'attention-bias' },
    { kind: 'references', methods: ['offset', 'index', 'index_timestep_zero', 'uxo'] },
  ],
  network(g, config, given) {
    const inputs = ditInputs(g, config);
    const pooled = g.input('pooled', 'f32', ['batch', config.pooledWidth]);
    const guidance = given.has('guidance') ? g.input('guidance', 'f32', ['batch']) : undefined;
    const seen = referencesOf(g, given, config.outChannels);
    return { out: flux(g.weights, { ...inputs, pooled, guidance, ...seen }, config) };
  },
});

/** Beside the latent: nothing, a picture to follow, or a masked picture and the mask's 64 pixels a cell. */
function extraChannels({ inChannels, outChannels }: FluxConfig): ExtraChannels {
  if (inChannels <= outChannels) return 'none';
  return inChannels <= 2 * outChannels ? 'instruct-scaled' : 'inpaint-pixels';
}

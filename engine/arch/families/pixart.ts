/** PixArt alpha, told the size of the picture, and sigma, on the latents of SDXL. */
import { defineFamily } from '../family.ts';
import { type PixArtConfig, detectPixArt, pixArt as network } from '../pixart.ts';
import { ditInputs } from './dit-inputs.ts';
import { t5xxlOfPixart } from './sequence-encoders.ts';
import { alone } from './text-encoders.ts';

export const pixArtAlpha = defineFamily<PixArtConfig>({
  name: 'pixart-alpha',
  title: 'PixArt alpha',
  detect({ model }) {
    const config = detectPixArt(model);
    return config?.sized ? config : undefined;
  },
  sampling: async () => ({
    prediction: 'eps',
    schedule: { betaSchedule: 'sqrt_linear', linearStart: 0.0001, linearEnd: 0.02 },
  }),
  vaePrefixes: ['vae.'],
  text: alone(t5xxlOfPixart),
  textPrefixes: [['text_encoders.t5xxl.transformer.']],
  latentFormat: 'SD15',
  memoryFactor: 0.5,
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels: () => 'none',
  conditions: ({ sized }) => (sized ? [{ kind: 'size-and-ratio' }] : []),
  network(g, config, given) {
    const sizes = given.has('sizes') ? g.input('sizes', 'f32', ['batch', 3]) : undefined;
    return { out: network(g.weights, { ...ditInputs(g, config), sizes }, config) };
  },
});

export const pixArtSigma = defineFamily<PixArtConfig>({
  ...pixArtAlpha,
  name: 'pixart-sigma',
  title: 'PixArt sigma',
  detect: ({ model }) => detectPixArt(model),
  latentFormat: 'SDXL',
});

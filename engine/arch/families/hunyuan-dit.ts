/** HunyuanDiT 1.2, and 1.0 and 1.1, which are told of sizes. */
import { defineFamily } from '../family.ts';
import { detectHunyuanDit, hunyuanDit as network } from '../hunyuan-dit.ts';
import { ditInputs } from './dit-inputs.ts';
import { hunyuanDitText } from './text-sides.ts';

export const hunyuanDit = defineFamily({
  name: 'hunyuan-dit',
  title: 'HunyuanDiT',
  detect: ({ model }) => detectHunyuanDit(model),
  sampling: async (_, { sized }) => ({
    prediction: 'v',
    schedule: { linearStart: 0.00085, linearEnd: sized ? 0.03 : 0.018 },
  }),
  vaePrefixes: ['vae.'],
  text: hunyuanDitText,
  textPrefixes: ['hydit_clip', 'mt5xl'].map((name) => [`text_encoders.${name}.transformer.`]),
  latentFormat: 'SDXL',
  memoryFactor: 1.3,
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels: () => 'none',
  conditions: ({ secondWidth, secondLength, sized }) => [
    { kind: 'second-text', width: secondWidth, atLeast: secondLength },
    ...(sized ? ([{ kind: 'sizes', otherwise: 768 }] as const) : []),
  ],
  network(g, config) {
    const { context, ...inputs } = ditInputs(g, config);
    const mask = (name: string) => g.input(name, 'f32', ['batch', `${name}_tokens`]);
    const second = g.input('second', 'f32', ['batch', 'second_tokens', config.secondWidth]);
    const all = {
      ...inputs,
      text: { states: context, mask: mask('mask') },
      second: { states: second, mask: mask('second_mask') },
      ...(config.sized && { sizes: g.input('sizes', 'f32', ['batch', 6]) }),
    };
    return { out: network(g.weights, all, config) };
  },
});

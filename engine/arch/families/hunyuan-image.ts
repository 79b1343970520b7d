/** HunyuanImage 2.1 (base and distilled) and its refiner, told apart by the frames of their latents. */
import { type Condition, defineFamily } from '../family.ts';
import {
  type HunyuanImageConfig,
  detectHunyuanImage,
  hunyuanImage as network,
} from '../hunyuan-image.ts';
import { ditInputs } from './dit-inputs.ts';
import { hunyuanImageText } from './text-sides.ts';

export const hunyuanImage = defineFamily<HunyuanImageConfig>({
  name: 'hunyuan-image',
  title: 'HunyuanImage 2.1',
  detect({ model }) {
    const config = detectHunyuanImage(model);
    return config?.frames === false ? config : undefined;
  },
  sampling: async () => ({ prediction: 'flow', schedule: { shift: 5 } }),
  vaePrefixes: ['vae.'],
  text: hunyuanImageText,
  textPrefixes: [
    ['text_encoders.qwen25_7b.transformer.'],
    ['text_encoders.byt5_small.transformer.'],
  ],
  latentFormat: 'HunyuanImage21',
  memoryFactor: 7.7,
  fullPrecision: true,
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels: () => 'none',
  conditions: (config) => [
    ...toldOfText(config),
    ...(config.aimed ? [{ kind: 'next-sigma' } as const] : []),
  ],
  network(g, config, given) {
    const number = (name: string) =>
      given.has(name) ? g.input(name, 'f32', ['batch']) : undefined;
    const glyphs = given.has('glyphs')
      ? g.input('glyphs', 'f32', ['batch', 'glyphTokens', config.glyphWidth])
      : undefined;
    const inputs = {
      ...ditInputs(g, config, config.frames ? ['frames'] : []),
      glyphs,
      guidance: number('guidance'),
      nextSigma: number('next_sigma'),
    };
    return { out: network(g.weights, inputs, config) };
  },
});

export const hunyuanImageRefiner = defineFamily<HunyuanImageConfig>({
  ...hunyuanImage,
  name: 'hunyuan-image-refiner',
  title: 'HunyuanImage 2.1 refiner',
  detect({ model }) {
    const config = detectHunyuanImage(model);
    return config?.frames ? config : undefined;
  },
  sampling: async () => ({ prediction: 'flow', schedule: { shift: 4 } }),
  latentFormat: 'HunyuanImage21Refiner',
  memoryFactor: 1.8,
  extraChannels: () => 'instruct-noised',
  conditions: (config) => toldOfText(config),
});

/** Texts to draw, and the guidance that a distilled model is told. */
const toldOfText = ({ glyphWidth, guided }: HunyuanImageConfig): readonly Condition[] => [
  ...(glyphWidth > 0
    ? [
        {
          kind: 'further-text',
          from: 'conditioning_byt5small',
          input: 'glyphs',
          width: glyphWidth,
        } as const,
      ]
    : []),
  ...(guided ? [{ kind: 'guidance', otherwise: 6 } as const] : []),
];

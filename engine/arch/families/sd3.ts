/** Stable Diffusion 3 and 3.5 (medium, large, large turbo). */
import { detectMmdit, mmdit } from '../mmdit.ts';
import { mmditPlaces } from '../mmdit-controlnet.ts';
import { defineFamily } from '../family.ts';
import { ditInputs } from './dit-inputs.ts';
import { sd3Text } from './text-sides.ts';

export const sd3 = defineFamily({
  name: 'sd3',
  title: 'Stable Diffusion 3',
  detect: ({ model }) => detectMmdit(model),
  sampling: async () => ({ prediction: 'flow', schedule: { shift: 3 } }),
  vaePrefixes: ['first_stage_model.'],
  text: sd3Text(['clip_l', 'clip_g', 't5xxl']),
  textPrefixes: ['clip_l', 'clip_g', 't5xxl'].map((name) => [`text_encoders.${name}.transformer.`]),
  latentFormat: 'SD3',
  memoryFactor: 1.2,
  contextWidth: ({ contextWidth }) => contextWidth,
  extraChannels: () => 'none',
  blocks: { double: 'joint_blocks' },
  residuals: mmditPlaces,
  conditions: ({ pooledWidth }) => [{ kind: 'pooled', width: pooledWidth }],
  network(g, config) {
    const pooled = g.input('pooled', 'f32', ['batch', config.pooledWidth]);
    return { out: mmdit(g.weights, { ...ditInputs(g, config), pooled }) };
  },
});

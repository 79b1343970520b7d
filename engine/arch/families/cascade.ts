/** Stable Cascade: stage C draws a small latent, stage B works it out. */
import { mulDim, symbol } from '../../tensor/shape.ts';
import type { Graph } from '../../tensor/trace.ts';
import { stageCPlaces } from '../cascade/controlnet.ts';
import { type StageBConfig, detectStageB, stageB, stageBPatch } from '../cascade/stage-b.ts';
import { type StageCConfig, detectStageC, stageC } from '../cascade/stage-c.ts';
import { defineFamily } from '../family.ts';
import { ditInputs } from './dit-inputs.ts';
import { alone, clipGOfCascade } from './text-encoders.ts';

const shared = {
  vaePrefixes: ['vae.'],
  text: alone(clipGOfCascade),
  textPrefixes: [['text_encoder.clip_g.transformer.']],
  memoryFactor: 2,
  extraChannels: () => 'none' as const,
};

export const cascadeC = defineFamily<StageCConfig>({
  ...shared,
  name: 'cascade-c',
  title: 'Stable Cascade (stage C)',
  detect: ({ model }) => detectStageC(model),
  sampling: async () => ({ prediction: 'eps', schedule: { type: 'cascade', shift: 2 } }),
  repeatsText: true,
  visionPrefix: 'clip_l_vision.',
  latentFormat: 'SC_Prior',
  fullPrecision: true,
  contextWidth: ({ contextWidth }) => contextWidth,
  residuals: stageCPlaces,
  conditions: ({ pooledWidth, pictureWidth }) => [
    { kind: 'pooled', width: pooledWidth },
    { kind: 'pictures', width: pictureWidth },
  ],
  network: (g, config) => ({
    out: stageC(
      g.weights,
      {
        ...ditInputs(g, config),
        pooled: g.input('pooled', 'f32', ['batch', config.pooledWidth]),
        pictures: g.input('pictures', 'f32', ['batch', 'pictures', config.pictureWidth]),
      },
      config,
    ),
  }),
});

export const cascadeB = defineFamily<StageBConfig>({
  ...shared,
  name: 'cascade-b',
  title: 'Stable Cascade (stage B)',
  detect: ({ model }) => detectStageB(model),
  sampling: async () => ({ prediction: 'eps', schedule: { type: 'cascade', shift: 1 } }),
  latentFormat: 'SC_B',
  contextWidth: () => undefined,
  conditions: ({ pooledWidth, priorChannels }) => [
    { kind: 'pooled', width: pooledWidth },
    { kind: 'prior', channels: priorChannels },
  ],
  network: (g, config) => ({ out: stageB(g.weights, stageBInputs(g, config), config) }),
});

const stageBInputs = (g: Graph, { inChannels, pooledWidth, priorChannels }: StageBConfig) => {
  const sides = ['height', 'width'].map((side) => mulDim(symbol(side), stageBPatch));
  return {
    x: g.input('x', 'f32', ['batch', inChannels, ...sides]),
    timesteps: g.input('timesteps', 'f32', ['batch']),
    pooled: g.input('pooled', 'f32', ['batch', pooledWidth]),
    prior: g.input('prior', 'f32', ['batch', priorChannels, 'priorHeight', 'priorWidth']),
  };
};

/** Cosmos Predict2, text to picture. */
import {
  type CosmosPredict2Config,
  cosmosPredict2 as network,
  detectCosmosPredict2,
} from '../cosmos-predict2.ts';
import { defineFamily } from '../family.ts';
import { ditInputs } from './dit-inputs.ts';
import { t5xxlOld } from './sequence-encoders.ts';
import { alone } from './text-encoders.ts';

export const cosmosPredict2 = defineFamily<CosmosPredict2Config>({
  name: 'cosmos-predict2',
  title: 'Cosmos Predict2',
  detect: ({ model }) => detectCosmosPredict2(model),
  sampling: async () => ({
    prediction: 'cosmos-rflow',
    schedule: { sigmaMin: 0.002, sigmaMax: 80, sigmaData: 1 },
  }),
  vaePrefixes: ['first_stage_model.'],
  text: alone(t5xxlOld),
  textPrefixes: [['cond_stage_model.t5xxl.transformer.']],
  latentFormat: 'Wan21',
  memoryFactor: 0.9,
  contextWidth: ({ contextWidth }) => contextWidth,
  keepsClean: true,
  extraChannels: () => 'none',
  conditions: () => [{ kind: 'shares' }],
  network(g, config, given) {
    const shares = given.has('shares') ? g.input('shares', 'f32', ['batch', 'frames']) : undefined;
    const inputs = ditInputs(g, config, ['frames']);
    return { out: network(g.weights, { ...inputs, shares }, config) };
  },
});

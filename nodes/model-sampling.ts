/** ModelSampling nodes: how a model's predictions are read, and the noise levels that it knows. */
import { NoodleError } from '../engine/errors.ts';
import { boolean, combo, float, inModule, int, latent, model, optional } from '../engine/node.ts';
import type { Model, NodeDefinition } from '../engine/node.ts';
import { createModelSampling, type SamplingSettings } from '../engine/sampling/model-sampling.ts';

const MAX = 16384;

const outputs = [{ type: 'MODEL' }];
const category = 'advanced/model';
const advanced = inModule('comfy_extras.nodes_model_advanced', 'v1', { category, outputs });
const video = inModule('comfy_extras.nodes_lt', 'v3', { category, outputs });

/** What a node puts in place of the model's settings; `type` names the sigma schedule. */
interface Change extends SamplingSettings {
  readonly schedule: SamplingSettings['schedule'] & { readonly type: string };
  readonly latentFormat?: string;
}

/**
 * The model with other settings. What the file says of its schedule stays beside what the node says, as
 * the next node may go back to it. Numbers that make no schedule are refused here, where they were given.
 */
function sampled(model: Model, { prediction, schedule, latentFormat }: Change): [Model] {
  const sampling = { prediction, schedule: { ...model.sampling.schedule, ...schedule } };
  createModelSampling(sampling);
  return [{ ...model, sampling, latentFormat: latentFormat ?? model.latentFormat }];
}

const shiftInput = (value: number) => float({ default: value, min: 0, max: 100, step: 0.01 });
const sigmaInput = (value: number) =>
  float({ default: value, min: 0, max: 1000, step: 0.001, round: false });

/** The predictions on a table of discrete steps, by the name of the node's choice. */
const discrete = {
  eps: { prediction: 'eps', type: 'discrete' },
  v_prediction: { prediction: 'v', type: 'discrete' },
  lcm: { prediction: 'lcm', type: 'lcm' },
  x0: { prediction: 'x0', type: 'discrete' },
  img_to_img: { prediction: 'img-to-img', type: 'discrete' },
} as const;

/** The predictions on EDM's noise levels; `sigmaData` is the deviation of the data. */
const continuous = {
  v_prediction: { prediction: 'v-edm', type: 'edm', sigmaData: 1 },
  edm: { prediction: 'edm', type: 'edm', sigmaData: 0.5 },
  'edm_playground_v2.5': {
    prediction: 'edm',
    type: 'edm',
    sigmaData: 0.5,
    latentFormat: 'SDXL_Playground_2_5',
  },
  eps: { prediction: 'eps', type: 'edm', sigmaData: 1 },
  cosmos_rflow: { prediction: 'cosmos-rflow', type: 'cosmos', sigmaData: 1 },
} as const;

const choices = <K extends string>(table: Readonly<Record<K, unknown>>): K[] =>
  Object.keys(table) as K[];

/** Rectified flow with SD3's shift; the network is told sigma · `multiplier`. */
const shiftedFlow = (name: string, shift: number, multiplier: number): NodeDefinition =>
  advanced({
    name,
    displayName: name,
    inputs: { model: model(), shift: shiftInput(shift) },
    run: ({ model, shift }) =>
      sampled(model, { prediction: 'flow', schedule: { type: 'flow', shift, multiplier } }),
  });

/** Flux's shift (the mu of its schedule) for a number of tokens: a line through two points. */
function fluxShift(tokens: number, [x1, y1]: readonly number[], [x2, y2]: readonly number[]) {
  const slope = (y2 - y1) / (x2 - x1);
  return tokens * slope + (y1 - slope * x1);
}

const flux = (shift: number): Change => ({
  prediction: 'flow',
  schedule: { type: 'flux', shift },
});

/**
 * The model with its start noise multiplied. Throws BAD_INPUT for one that is not sampled as a flow with
 * shift and multiplier (ModelSamplingSD3 and AuraFlow make such ones).
 */
function noiseScaled(model: Model, noiseScale: number): [Model] {
  const { prediction, schedule } = model.sampling;
  if (prediction !== 'flow' || (schedule['type'] ?? 'flow') !== 'flow') {
    const got = `${prediction} (${String(schedule['type'] ?? 'its usual schedule')})`;
    const expected = 'a flow model, as ModelSamplingSD3 makes one';
    throw new NoodleError('BAD_INPUT', { subject: 'the model of ModelNoiseScale', expected, got });
  }
  return [{ ...model, sampling: { ...model.sampling, noiseScale } }];
}

export const modelSamplingNodes: readonly NodeDefinition[] = [
  advanced({
    name: 'ModelSamplingDiscrete',
    displayName: 'ModelSamplingDiscrete',
    inputs: {
      model: model(),
      sampling: combo(choices(discrete)),
      zsnr: boolean({ default: false }),
    },
    run({ model, sampling, zsnr }) {
      const { prediction, type } = discrete[sampling];
      return sampled(model, { prediction, schedule: { type, zsnr } });
    },
  }),
  advanced({
    name: 'ModelSamplingContinuousEDM',
    displayName: 'ModelSamplingContinuousEDM',
    inputs: {
      model: model(),
      sampling: combo(choices(continuous)),
      sigma_max: sigmaInput(120),
      sigma_min: sigmaInput(0.002),
    },
    run({ model, sampling, sigma_max: sigmaMax, sigma_min: sigmaMin }) {
      const { prediction, type, sigmaData, ...rest } = continuous[sampling];
      return sampled(model, {
        prediction,
        schedule: { type, sigmaMin, sigmaMax, sigmaData },
        ...rest,
      });
    },
  }),
  advanced({
    name: 'ModelSamplingContinuousV',
    displayName: 'ModelSamplingContinuousV',
    inputs: {
      model: model(),
      sampling: combo(['v_prediction']),
      sigma_max: sigmaInput(500),
      sigma_min: sigmaInput(0.03),
    },
    run: ({ model, sigma_max: sigmaMax, sigma_min: sigmaMin }) =>
      sampled(model, {
        prediction: 'v',
        schedule: { type: 'continuous-v', sigmaMin, sigmaMax, sigmaData: 1 },
      }),
  }),
  advanced({
    name: 'ModelSamplingStableCascade',
    displayName: 'ModelSamplingStableCascade',
    inputs: { model: model(), shift: shiftInput(2) },
    run: ({ model, shift }) =>
      sampled(model, { prediction: 'eps', schedule: { type: 'cascade', shift } }),
  }),
  shiftedFlow('ModelSamplingSD3', 3, 1000),
  shiftedFlow('ModelSamplingAuraFlow', 1.73, 1),
  advanced({
    name: 'ModelSamplingFlux',
    displayName: 'ModelSamplingFlux',
    inputs: {
      model: model(),
      max_shift: shiftInput(1.15),
      base_shift: shiftInput(0.5),
      width: int({ default: 1024, min: 16, max: MAX, step: 8 }),
      height: int({ default: 1024, min: 16, max: MAX, step: 8 }),
    },
    run({ model, max_shift, base_shift, width, height }) {
      // A token is 2 × 2 cells of 8 × 8 pixels.
      const tokens = (width * height) / (8 * 8 * 2 * 2);
      return sampled(model, flux(fluxShift(tokens, [256, base_shift], [4096, max_shift])));
    },
  }),
  advanced({
    name: 'ModelNoiseScale',
    displayName: 'ModelNoiseScale',
    category: 'model/patch',
    inputs: {
      model: model(),
      noise_scale: float({ default: 1, min: 0, max: 64, step: 0.01 }),
    },
    run: ({ model, noise_scale }) => noiseScaled(model, noise_scale),
  }),
  video({
    name: 'ModelSamplingLTXV',
    inputs: {
      model: model({}),
      max_shift: shiftInput(2.05),
      base_shift: shiftInput(0.95),
      latent: optional(latent({})),
    },
    run({ model, max_shift, base_shift, latent }) {
      const tokens = latent?.samples.shape.slice(2).reduce((n, size) => n * size, 1) ?? 4096;
      return sampled(model, flux(fluxShift(tokens, [1024, base_shift], [4096, max_shift])));
    },
  }),
];

/** Operations on latents that travel on wires of their own. */
import { add, sub } from '../engine/array/elementwise.ts';
import { sharpenLatent } from '../engine/array/convolve.ts';
import { scaleVectors, tonemapReinhard, vectorLengths } from '../engine/array/latent-math.ts';
import type { NDArray } from '../engine/array/nd.ts';
import { float, inModule, int, latent, model, socket } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';

/** LATENT_OPERATION: samples to samples. */
export type LatentOperation = (samples: NDArray) => NDArray;

const defineOperation = inModule('comfy_extras.nodes_latent', 'v3', {
  category: 'latent/advanced/operations',
  outputs: [{ type: 'LATENT_OPERATION' }],
  experimental: true,
});
const operation = socket<LatentOperation>('LATENT_OPERATION', {}, 'value');

export const latentApplyOperation = defineOperation({
  name: 'LatentApplyOperation',
  inputs: { samples: latent({}), operation },
  outputs: [{ type: 'LATENT' }],
  run: ({ samples, operation }) => [{ ...samples, samples: operation(samples.samples) }],
});

export const latentApplyOperationCfg = defineOperation({
  name: 'LatentApplyOperationCFG',
  inputs: { model: model({}), operation },
  outputs: [{ type: 'MODEL' }],
  run: ({ model, operation }) => {
    const before = [
      ...(model.guidance?.before ?? []),
      ({ cond, uncond }: { cond: NDArray; uncond: NDArray }) => {
        return { cond: add(operation(sub(cond, uncond)), uncond), uncond };
      },
    ];
    return [{ ...model, guidance: { ...model.guidance, before } }];
  },
});

export const latentOperationTonemapReinhard = defineOperation({
  name: 'LatentOperationTonemapReinhard',
  inputs: { multiplier: float({ default: 1, min: 0, max: 100, step: 0.01 }) },
  run: ({ multiplier }) => {
    const operation: LatentOperation = (samples) => tonemapReinhard(samples, multiplier);
    return [operation];
  },
});

export const latentOperationSharpen = defineOperation({
  name: 'LatentOperationSharpen',
  inputs: {
    sharpen_radius: int({ default: 9, min: 1, max: 31, step: 1 }),
    sigma: float({ default: 1, min: 0.1, max: 10, step: 0.1 }),
    alpha: float({ default: 0.1, min: 0, max: 5, step: 0.01 }),
  },
  run: ({ sharpen_radius, sigma, alpha }) => {
    const operation: LatentOperation = (samples) => {
      const lengths = vectorLengths(samples).map((v) => v + 1e-6);
      const directions = scaleVectors(
        samples,
        lengths.map((v) => 1 / v),
      );
      const sharp = sharpenLatent(directions, { radius: sharpen_radius, sigma, alpha });
      return scaleVectors(sharp, lengths);
    };
    return [operation];
  },
});

export const latentOperationNodes: readonly NodeDefinition[] = [
  latentApplyOperation,
  latentApplyOperationCfg,
  latentOperationTonemapReinhard,
  latentOperationSharpen,
];

/** Stable Diffusion XL: base (and its distilled sizes), refiner, Playground 2.5. */
import { concat, rearrange, reshape } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Graph } from '../../tensor/trace.ts';
import type { SamplingSettings } from '../../sampling/model-sampling.ts';
import { type Candidate, defineFamily } from '../family.ts';
import { sinusoidalEmbedding } from '../timestep-embedding.ts';
import { unetPlaces } from '../residual-places.ts';
import { type UNetConfig, detectUNet } from '../unet.ts';
import { alone, clipG, clipLOfXl, joinedOnChannels } from './text-encoders.ts';
import { contextWidth, extraChannels, knownChannels, unetNetwork } from './unet-network.ts';

/** Every number of the vector condition becomes a sinusoidal embedding of this width. */
const numberWidth = 256;
const baseNumbers = 6;
const refinerNumbers = 5;

export const sdxl = defineFamily({
  name: 'sdxl',
  title: 'Stable Diffusion XL',
  detect: (candidate) => (isRefiner(candidate) ? undefined : detectXl(candidate, baseNumbers)),
  sampling: async ({ file, values }): Promise<SamplingSettings> => {
    const sigmaMax = (await values(file, 'edm_vpred.sigma_max'))?.[0];
    if (sigmaMax !== undefined) {
      const sigmaMin = (await values(file, 'edm_vpred.sigma_min'))?.[0] ?? 0.002;
      return { prediction: 'v-edm', schedule: { sigmaMin, sigmaMax } };
    }
    if (!file.has('v_pred')) return { prediction: 'eps', schedule: {} };
    return { prediction: 'v', schedule: file.has('ztsnr') ? { zsnr: true } : {} };
  },
  vaePrefixes: ['first_stage_model.'],
  text: joinedOnChannels([clipLOfXl, clipG], { pooledFrom: 1 }),
  textPrefixes: [['conditioner.embedders.0.transformer.'], ['conditioner.embedders.1.model.']],
  repeatsText: true,
  savesPositions: true,
  modelspec: ({ inChannels }) =>
    inChannels === 8 ? 'stable-diffusion-xl-v1-edit' : 'stable-diffusion-xl-v1-base',
  latentFormat: 'SDXL',
  memoryFactor: 0.8,
  contextWidth,
  extraChannels,
  residuals: unetPlaces,
  vector: {
    pooledWidth: (config) => pooledWidth(config, baseNumbers),
    pictures: { width: (config) => pooledWidth(config, baseNumbers), mergeNoise: 0 },
    numbers(extra, picture) {
      const width = number(extra.width, picture.width);
      const height = number(extra.height, picture.height);
      return [
        height,
        width,
        number(extra.crop_h, 0),
        number(extra.crop_w, 0),
        number(extra.target_height, height),
        number(extra.target_width, width),
      ];
    },
  },
  network: (g, config) =>
    unetNetwork(g, config, (graph) => vectorInput(graph, config, baseNumbers)),
});

/** Playground 2.5: SDXL's network, trained on EDM's noise levels and its own latent statistics. */
export const playground = defineFamily({
  ...sdxl,
  name: 'playground-2.5',
  title: 'Playground 2.5',
  detect(candidate) {
    const { file } = candidate;
    return file.has('edm_mean') && file.has('edm_std') ? sdxl.detect(candidate) : undefined;
  },
  sampling: async () => ({
    prediction: 'edm',
    schedule: { sigmaData: 0.5, sigmaMin: 0.002, sigmaMax: 80 },
  }),
  latentFormat: 'SDXL_Playground_2_5',
});

export const sdxlRefiner = defineFamily({
  ...sdxl,
  name: 'sdxl-refiner',
  title: 'Stable Diffusion XL refiner',
  detect: (candidate) => (isRefiner(candidate) ? detectXl(candidate, refinerNumbers) : undefined),
  sampling: async () => ({ prediction: 'eps', schedule: {} }),
  text: alone(clipG),
  textPrefixes: [['conditioner.embedders.0.model.']],
  repeatsText: true,
  modelspec: () => 'stable-diffusion-xl-v1-refiner',
  memoryFactor: 1,
  vector: {
    pooledWidth: (config) => pooledWidth(config, refinerNumbers),
    pictures: { width: (config) => pooledWidth(config, refinerNumbers), mergeNoise: 0 },
    numbers(extra, picture) {
      const negative = extra.prompt_type === 'negative';
      return [
        number(extra.height, picture.height),
        number(extra.width, picture.width),
        number(extra.crop_h, 0),
        number(extra.crop_w, 0),
        number(extra.aesthetic_score, negative ? 2.5 : 6),
      ];
    },
  },
  network: (g, config) =>
    unetNetwork(g, config, (graph) => vectorInput(graph, config, refinerNumbers)),
});

/** A linear-projection UNet with a vector condition of so many numbers and no attention at the outermost level. */
function detectXl({ model }: Candidate, numbers: number): UNetConfig | undefined {
  const config = detectUNet(model);
  if (!config || config.contextWidth === undefined || config.temporal) return undefined;
  const xl = config.linearProjection && config.depths[1] === 0 && knownChannels(config);
  return xl && (config.admWidth ?? 0) > numbers * numberWidth ? config : undefined;
}

/** The refiner's only encoder gives both the context and the pooled part of the vector. */
function isRefiner({ model }: Candidate): boolean {
  const config = detectUNet(model);
  return (
    config?.admWidth !== undefined && pooledWidth(config, refinerNumbers) === config.contextWidth
  );
}

const pooledWidth = (config: UNetConfig, numbers: number): number =>
  config.admWidth! - numbers * numberWidth;

/** Declares `pooled` and `numbers` and makes the vector condition y of them: [batch, adm]. */
function vectorInput(g: Graph, config: UNetConfig, count: number): Tensor {
  const pooled = g.input('pooled', 'f32', ['batch', pooledWidth(config, count)]);
  return vectorCondition(pooled, g.input('numbers', 'f32', ['batch', count]));
}

/** y = [pooled, the sinusoidal embedding of every number]: [b, p + 256*n]. */
export function vectorCondition(pooled: Tensor, numbers: Tensor): Tensor {
  const count = numbers.shape[1] as number;
  const flat = sinusoidalEmbedding(reshape(numbers, [-1]), numberWidth); // [b*n, 256]
  return concat([pooled, rearrange(flat, '(b n) c -> b (n c)', { n: count })], 1);
}

const number = (value: unknown, otherwise: number): number =>
  typeof value === 'number' ? value : otherwise;

/** MODEL: a diffusion network of some family, as it travels between nodes; immutable. */
import { concat as join } from '../array/batch.ts';
import type { NDArray } from '../array/nd.ts';
import type { ExtraChannels, Family } from '../arch/family.ts';
import { NoodleError } from '../errors.ts';
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import type { GuidanceHooks, GuidedModel } from '../sampling/guidance/hooks.ts';
import { type LatentFormat, latentFormat } from '../sampling/latent/formats.ts';
import type { ConditioningRun, CondTensor } from '../sampling/model.ts';
import { type SamplingSettings, createModelSampling } from '../sampling/model-sampling.ts';
import { withOwnColors } from '../sampling/latent/own-colors.ts';
import { extraChannelInput } from './extra-channels.ts';
import { type NetworkRun, type Weighted, openNetwork } from './network.ts';

export interface Model extends Weighted {
  readonly family: Family;
  /** Sizes the family read from shapes; only the family looks inside. */
  readonly config: unknown;
  /** What the network is fed behind the noisy latent. */
  readonly extraChannels: ExtraChannels;
  /** The file's settings, or what a ModelSampling node put in their place. */
  readonly sampling: SamplingSettings;
  /** Name of the latent format that a node put in place of the family's. */
  readonly latentFormat?: string;
  /** What guidance nodes added. */
  readonly guidance?: GuidanceHooks;
}

/** Working memory that one call may take before rows are split up. */
const callBytes = 2 ** 30;
/**
 * Working memory of a latent cell where a family's `memoryFactor` is 1: ComfyUI's estimate
 * (`memory_required`) for fp32 and attention that keeps no scores, as the runtime's does not.
 */
const cellBytes = 0.01 * 4 * 2 ** 20;
/** More rows than this in one call bring nothing. */
const mostRows = 16;

const formatOf = ({ family, latentFormat: other }: Model): LatentFormat =>
  latentFormat(other ?? family.latentFormat);

/** The model as samplers see it. */
export function diffusion(model: Model, run: NetworkRun): GuidedModel {
  const { family, config } = model;
  const network = openNetwork(run, model, {
    name: family.name,
    build: (g) => family.network(g, config),
  });
  return {
    modelSampling: createModelSampling(model.sampling),
    latentFormat: withOwnColors(formatOf(model), model.source.metadata),
    guidance: model.guidance,
    encodeConditioning: async (entry, sampled) => conditioningTensors(model, entry, sampled),
    async apply(input) {
      const { x, timesteps } = input;
      const { concat, ...cond } = input.cond;
      const inputs = {
        ...cond,
        x: concat ? join([x, concat], 1) : x,
        timesteps: { data: timesteps, shape: [timesteps.length] },
      };
      const { out } = await network(inputs, { rows: timesteps.length, input });
      return out;
    },
    bestBatch(rowShape) {
      const cells = rowShape.slice(1).reduce((product, size) => product * size, 1);
      const rows = Math.floor(callBytes / (cells * cellBytes * family.memoryFactor));
      return Math.min(mostRows, Math.max(1, rows));
    },
    with: (more) => diffusion({ ...model, patches: [...more, ...model.patches] }, run),
  };
}

function conditioningTensors(
  model: Model,
  entry: ConditioningEntry,
  run: ConditioningRun,
): Record<string, CondTensor> {
  const { family, config } = model;
  checkWidth(entry.cross, family.contextWidth(config), `the text condition of ${family.title}`);
  const concat = extraChannelInput(model.extraChannels, entry, run, formatOf(model));
  return {
    cross: { value: entry.cross, along: 'tokens' },
    ...vectorTensors(model, entry, run),
    ...(concat && { concat: { value: concat, along: 'grid' } }),
  };
}

/** `pooled` and `numbers` for families with a vector condition. */
function vectorTensors(
  model: Model,
  entry: ConditioningEntry,
  run: ConditioningRun,
): Record<string, CondTensor> {
  const { family, config } = model;
  if (!family.vector) return {};
  const [height, width] = run.latentShape.slice(-2);
  const { space } = formatOf(model);
  const numbers = family.vector.numbers(entry.extra ?? {}, {
    width: width * space,
    height: height * space,
  });
  const expected = family.vector.pooledWidth(config);
  if (!entry.pooled) {
    throw new NoodleError('BAD_INPUT', {
      subject: `the conditioning of ${family.title}`,
      expected: `a pooled text embedding of width ${expected}`,
      got: 'none',
    });
  }
  checkWidth(entry.pooled, expected, `the pooled text embedding of ${family.title}`);
  return {
    pooled: { value: entry.pooled, along: 'row' },
    numbers: {
      value: { data: Float32Array.from(numbers), shape: [1, numbers.length] },
      along: 'row',
    },
  };
}

function checkWidth(x: NDArray, expected: number, subject: string): void {
  const got = x.shape.at(-1);
  if (got !== expected) {
    throw new NoodleError('BAD_INPUT', {
      subject,
      expected: `width ${expected}`,
      got: `width ${got}; was it made by another model's text encoder?`,
    });
  }
}

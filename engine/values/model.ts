/** MODEL: a diffusion network of some family, as it travels between nodes; immutable. */
import { concat as join, sliceAxis } from '../array/batch.ts';
import { map } from '../array/elementwise.ts';
import { type NDArray, full, sizeOf, zeros } from '../array/nd.ts';
import type { ExtraChannels, Family } from '../arch/family.ts';
import { NoodleError } from '../errors.ts';
import { attentionBias, biasInput } from '../patch/attention-bias.ts';
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import type { GuidanceHooks, GuidedModel } from '../sampling/guidance/hooks.ts';
import { type LatentFormat, latentFormat } from '../sampling/latent/formats.ts';
import type { ConditioningRun, CondTensor, ModelInput } from '../sampling/model.ts';
import type { SessionInput } from '../runtime/runtime.ts';
import {
  type ModelSampling,
  type SamplingSettings,
  createModelSampling,
} from '../sampling/model-sampling.ts';
import { withOwnColors } from '../sampling/latent/own-colors.ts';
import type { Graph } from '../tensor/trace.ts';
import { type ModelChange, type RunChanges, runChanges } from './changes.ts';
import { callTensors, conditionTensors } from './conditions.ts';
import { checkWidth } from './check-width.ts';
import { projectedCross } from './cross-projection.ts';
import { extraChannelTensors } from './extra-channels.ts';
import { type Architecture, type NetworkRun, type Weighted, openNetwork } from './network.ts';
import { type SeenPicture, unclipVector } from './unclip.ts';

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
  /** Changes of the network for all calls, bound once a run. */
  readonly changes?: readonly ModelChange[];
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
  const sampling = createModelSampling(model.sampling);
  return sampled(model, run, { sampling, changes: changesOf(model, run, sampling) });
}

function sampled(
  model: Model,
  run: NetworkRun,
  shared: { readonly sampling: ModelSampling; readonly changes: RunChanges },
): GuidedModel {
  const { family } = model;
  const { sampling, changes } = shared;
  return {
    modelSampling: sampling,
    latentFormat: withOwnColors(formatOf(model), model.source.metadata),
    guidance: model.guidance,
    async encodeConditioning(entry, sampled) {
      const cross = await projectedCross(model, entry.cross, run);
      return conditioningTensors(model, { ...entry, cross }, sampled);
    },
    async apply(input) {
      const { inputs, weights, architecture } = await networkCall(model, changes, input);
      const rows = input.timesteps.length;
      const { out } = await openNetwork(run, weights, architecture)(inputs, { rows, input });
      return out;
    },
    bestBatch(rowShape, entry) {
      const cells = sizeOf(rowShape.slice(1));
      const more = entry ? changes.of(entry) : [];
      const perCell = more.reduce(
        (sum, change) => sum + change.cellBytes,
        cellBytes * family.memoryFactor,
      );
      const rows = Math.floor(callBytes / (cells * perCell));
      return Math.min(mostRows, Math.max(1, rows));
    },
    ...(family.keepsClean && {
      inpaintLatent: (sigma, _, latent) => {
        const [factor] = sampling.calculateInput(sigma, full([1, 1], 1)).data;
        return map(latent, (value) => value / factor);
      },
    }),
    with: (more) => sampled({ ...model, patches: [...more, ...model.patches] }, run, shared),
  };
}

/** One call of a model's network: what is opened, and what it is given. */
export interface ModelCall {
  readonly weights: Weighted;
  readonly architecture: Architecture;
  readonly inputs: Readonly<Record<string, SessionInput>>;
}

/** The call of the network that a model makes at a place of its run; its answer is `out`. */
export async function networkCall(
  model: Model,
  changes: RunChanges,
  input: ModelInput,
): Promise<ModelCall> {
  const { family, config } = model;
  const { x, timesteps } = input;
  const { concat, ...told } = input.cond;
  const cond = { ...told, ...callTensors(family.conditions?.(config) ?? [], input) };
  // all parts of a call carry the same changes
  const brought = await Promise.all(
    changes.of(input.parts[0].entry).map((change) => change.patches(input)),
  );
  const inner = biasInput in cond ? [attentionBias()] : [];
  const given = new Set(Object.keys(cond));
  return {
    weights: { source: model.source, patches: [...inner, ...model.patches, ...brought.flat()] },
    architecture: {
      name: family.name,
      fullPrecision: family.fullPrecision,
      settings: family.conditions && { given: [...given].sort().join() },
      build: (g: Graph) => family.network(g, config, given),
    },
    inputs: {
      ...cond,
      x: concat ? join([x, concat], 1) : x,
      timesteps: { data: timesteps, shape: [timesteps.length] },
    },
  };
}

/** The changes of a model's network, bound to one run. */
export const changesOf = (model: Model, run: NetworkRun, sampling: ModelSampling): RunChanges =>
  runChanges({ ...run, network: model, family: model.family, sampling }, model.changes);

function conditioningTensors(
  model: Model,
  entry: ConditioningEntry,
  run: ConditioningRun,
): Record<string, CondTensor> {
  const { family, config } = model;
  const width = family.contextWidth(config);
  if (width !== undefined) {
    const names = family.text.encoders.map(({ name }) => name).join(' and ');
    checkWidth(entry.cross, width, `the text condition of ${family.title} (${names})`);
  }
  const along = family.repeatsText ? 'tokens' : 'row';
  return {
    ...(width !== undefined && {
      cross: { value: entry.cross, along },
    }),
    ...(entry.crossControl && { crossControl: { value: entry.crossControl, along } }),
    ...vectorTensors(model, entry, run),
    ...conditionTensors(family.conditions?.(config) ?? [], entry, run, formatOf(model)),
    ...extraChannelTensors(model.extraChannels, entry, run, formatOf(model)),
  };
}

/** `pooled` and `numbers` for families with a vector condition. */
function vectorTensors(
  model: Model,
  entry: ConditioningEntry,
  run: ConditioningRun,
): Record<string, CondTensor> {
  const { family } = model;
  if (!family.vector) return {};
  const [height, width] = run.latentShape.slice(-2);
  const { space } = formatOf(model);
  const picture = { width: width * space, height: height * space };
  const numbers = Float32Array.from(family.vector.numbers(entry.extra ?? {}, picture));
  const pooled: CondTensor = { value: pooledVector(model, entry, run), along: 'row' };
  if (numbers.length === 0) return { pooled };
  return {
    pooled,
    numbers: { value: { data: numbers, shape: [1, numbers.length] }, along: 'row' },
  };
}

/** What pictures or the pooled text tell the network: [1, width]. */
function pooledVector(
  { family, config }: Model,
  { pooled, extra }: ConditioningEntry,
  { seed = 0 }: ConditioningRun,
): NDArray {
  const vector = family.vector!;
  const expected = vector.pooledWidth(config);
  const seen = extra?.unclip as readonly SeenPicture[] | undefined;
  if (seen) {
    const { mergeNoise } = vector.pictures;
    const width = vector.pictures.width(config);
    return sliceAxis(unclipVector(seen, { width, mergeNoise, seed }), 1, 0, expected);
  }
  if (vector.picturesOnly) return zeros([1, expected]);
  if (!pooled) {
    throw new NoodleError('BAD_INPUT', {
      subject: `the conditioning of ${family.title}`,
      expected: `a pooled text embedding of width ${expected}`,
      got: 'none',
    });
  }
  checkWidth(pooled, expected, `the pooled text embedding of ${family.title}`);
  return pooled;
}

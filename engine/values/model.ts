/** MODEL: a diffusion network of some family, as it travels between nodes; immutable. */
import { concat as join } from '../array/batch.ts';
import type { NDArray } from '../array/nd.ts';
import type { Config, Family, SamplingSettings } from '../arch/family.ts';
import { NoodleError } from '../errors.ts';
import type { Runtime, Session } from '../runtime/runtime.ts';
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import type { GuidanceHooks } from '../sampling/guidance.ts';
import { latentFormat } from '../sampling/latent-format.ts';
import type { ConditioningRun, DiffusionModel } from '../sampling/model.ts';
import { createModelSampling } from '../sampling/model-sampling.ts';
import { withOwnColors } from '../sampling/own-colors.ts';
import { trace } from '../tensor/trace.ts';
import type { WeightSource } from '../weights/source.ts';
import { extraChannelInput } from './extra-channels.ts';
import { type WeightPatch, patchedWeights, weightsIdentity } from './weight-patch.ts';

export interface Model {
  readonly family: Family;
  readonly config: Config;
  /** The network's tensors under their own names. */
  readonly source: WeightSource;
  /** The file's settings, or what a ModelSampling node put in their place. */
  readonly sampling: SamplingSettings;
  readonly patches: readonly WeightPatch[];
  /** What guidance nodes added. */
  readonly guidance?: GuidanceHooks;
}

/** Working memory that one call may take for attention scores before rows are split up. */
const scoreBytes = 2 ** 30;
/** More rows than this in one call bring nothing. */
const mostRows = 16;

/** The model as samplers see it. Its session opens with the first call and stays in the runtime's cache. */
export function diffusion(model: Model, runtime: Runtime): DiffusionModel {
  let session: Promise<Session> | undefined;
  return {
    modelSampling: createModelSampling(model.sampling),
    latentFormat: withOwnColors(latentFormat(model.family.latentFormat), model.source.metadata),
    ...(model.guidance && { guidance: model.guidance }),
    encodeConditioning: async (entry, run) => conditioningTensors(model, entry, run),
    async apply({ x, timesteps, cond, signal }) {
      session ??= openNetwork(runtime, model);
      const { concat, ...inputs } = cond;
      const { out } = await (
        await session
      ).run(
        {
          ...inputs,
          x: concat ? join([x, concat], 1) : x,
          timesteps: { data: timesteps, shape: [timesteps.length] },
        },
        { signal },
      );
      return out;
    },
    bestBatch(rowShape) {
      const cells = rowShape.slice(1).reduce((product, size) => product * size, 1);
      // 8 heads of fp32 scores between all cells, where attention is at full resolution
      const rows = Math.floor(scoreBytes / (8 * 4 * cells ** 2));
      return Math.min(mostRows, Math.max(1, rows));
    },
  };
}

function openNetwork(runtime: Runtime, model: Model): Promise<Session> {
  const { family, config, source, patches } = model;
  const key = `${family.name}|${weightsIdentity(source, patches)}`;
  return runtime.session(key, () =>
    trace(family.name, patchedWeights(source, patches), (g) => family.network(g, config)),
  );
}

function conditioningTensors(
  model: Model,
  entry: ConditioningEntry,
  run: ConditioningRun,
): Record<string, NDArray> {
  const { family, config } = model;
  checkWidth(entry.cross, config.contextWidth ?? 0, `the text condition of ${family.title}`);
  const extra = family.extraChannels(config, model.sampling);
  const format = latentFormat(family.latentFormat);
  const concat = extraChannelInput(extra, entry, run, format);
  return {
    cross: entry.cross,
    ...vectorTensors(model, entry, run),
    ...(concat && { concat }),
  };
}

/** `pooled` and `numbers` for families with a vector condition. */
function vectorTensors(
  { family, config }: Model,
  entry: ConditioningEntry,
  run: ConditioningRun,
): Record<string, NDArray> {
  if (!family.vector) return {};
  const [height, width] = run.latentShape.slice(-2);
  const numbers = family.vector.numbers(entry.extra ?? {}, {
    width: width * 8,
    height: height * 8,
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
    pooled: entry.pooled,
    numbers: { data: Float32Array.from(numbers), shape: [1, numbers.length] },
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

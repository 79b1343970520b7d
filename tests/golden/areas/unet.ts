/** Golden area `unet`: the raw network, how its output is read, and what is fed beside the latent. */
import { join } from 'node:path';
import { concat } from '../../../engine/array/batch.ts';
import type { NDArray } from '../../../engine/array/nd.ts';
import { families } from '../../../engine/arch/families/index.ts';
import { vectorCondition } from '../../../engine/arch/families/sdxl.ts';
import { sinusoidalEmbedding } from '../../../engine/arch/timestep-embedding.ts';
import { detectUNet, unet, unetBlocks } from '../../../engine/arch/unet.ts';
import { freeuPatch } from '../../../engine/patch/freeu.ts';
import { type NetworkPatch, feedsOf } from '../../../engine/patch/patch.ts';
import { residualsAt, unetPlaces } from '../../../engine/arch/residual-places.ts';
import { residualPatch } from '../../../engine/patch/residuals.ts';
import { tokenMergingPatch } from '../../../engine/patch/token-merging.ts';
import { TorchGenerator } from '../../../engine/sampling/noise/torch-generator.ts';
import type { SessionInput } from '../../../engine/runtime/runtime.ts';
import {
  type SamplingSettings,
  createModelSampling,
} from '../../../engine/sampling/model-sampling.ts';
import type { Patch } from '../../../engine/tensor/patch.ts';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { unclipVector } from '../../../engine/values/unclip.ts';
import {
  fromDiffusersUNet,
  isDiffusersUNet,
} from '../../../engine/weights/key-maps/diffusers-unet.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { type WeightSource, memorySource, sub } from '../../../engine/weights/source.ts';
import { goldenFiles } from '../../support/golden.ts';
import { type CaseResult, type Comparison, compare, type GoldenArea } from '../area.ts';
import { goldenRuntime } from '../device.ts';
import { type GoldenCase, gunzipped, openCase } from '../open-case.ts';
import { runMemory } from '../../support/run-memory.ts';
import { findModelFile, modelFile } from '../model-file.ts';
import { type ConcatParams, concatConditions } from '../unet/concat-conditions.ts';

interface Params extends Partial<ConcatParams> {
  readonly op: string;
  readonly model?: string;
  readonly models?: string;
  readonly prefix?: string;
  readonly model_type?: string;
  readonly sampling_settings?: Readonly<Record<string, number | boolean>>;
  readonly control?: Readonly<Record<'input' | 'middle' | 'output', readonly (string | null)[]>>;
  readonly params?: Readonly<Record<string, number>>;
  readonly ratio?: number;
  readonly manual_seed?: number;
  readonly b1?: number;
  readonly b2?: number;
  readonly s1?: number;
  readonly s2?: number;
  readonly strengths?: readonly number[];
  readonly noise_augmentation?: readonly number[];
  readonly merge?: number;
  readonly dim?: number;
  readonly sampler_seed?: number;
}

type Golden = GoldenCase<Params>;

const runtime = goldenRuntime();

const operations: Readonly<Record<string, (golden: Golden, dir: string) => Promise<CaseResult>>> = {
  unet_forward: forward,
  unet_control: forward,
  apply_model: applyModel,
  concat_conds: (golden) => concatConditions(golden as GoldenCase<Params & ConcatParams>),
  sdxl_adm: sdxlVector,
  unclip_adm: unclip,
  freeu: freeu,
  tome: tokenMerging,
};

/** Where the weights named by a case lie: a UNet file of the area, or an end-to-end checkpoint. */
async function openUNet(dir: string, name: string, prefix: string): Promise<WeightSource> {
  const path = modelFile(dir, 'unet', name.startsWith('..') ? name : join('models', name));
  const file = await openSafetensors(await gunzipped(path));
  const inside = sub(file, prefix);
  const source = inside.tensors.size > 0 ? inside : file;
  return isDiffusersUNet(source) ? fromDiffusersUNet(source) : source;
}

/** Runs the network on the case's inputs; every block's own output comes back under its name. */
async function runUNet(
  source: WeightSource,
  inputs: Record<string, SessionInput>,
  patches: readonly NetworkPatch[] = [],
  generator: () => TorchGenerator = () => new TorchGenerator(0),
): Promise<Record<string, NDArray>> {
  const config = detectUNet(openWeights(source));
  if (!config) throw new Error('no UNet detected');
  const blocks = new Map<string, Tensor>();
  const record: Patch = {
    identity: 'record',
    at: ({ name, inputs: given, run }) => {
      const out = run(given);
      blocks.set(`mid.${name === 'time_embed' ? 'emb' : name}`, out);
      return out;
    },
  };
  const names = Object.keys(inputs);
  const key = JSON.stringify([source.identity, names, patches.map(({ identity }) => identity)]);
  const session = await runtime.session(key, () =>
    trace('unet', openWeights(source, [record, ...patches]), (g) => {
      const x = g.input('x', 'f32', ['batch', config.inChannels, 'height', 'width']);
      const timesteps = g.input('timesteps', 'f32', ['batch']);
      const context = g.input('context', 'f32', ['batch', 'tokens', config.contextWidth!]);
      const y = !inputs.y
        ? undefined
        : 'ids' in inputs.y
          ? g.input('y', 'i64', ['batch'])
          : g.input('y', 'f32', ['batch', config.admWidth!]);
      const eps = unet(g.weights, { x, timesteps, context, y }, config);
      return { ...Object.fromEntries(blocks), eps };
    }),
  );
  const x = inputs.x as NDArray;
  const run = { ...runMemory(), generator };
  const call = { rows: x.shape[0], input: { x, sigma: 1, parts: [], run } };
  return session.run({ ...inputs, ...(await feedsOf(patches, call)) });
}

async function forward(golden: Golden, dir: string): Promise<CaseResult> {
  const { params } = golden;
  const inputs: Record<string, SessionInput> = {};
  for (const name of golden.names.filter((key) => key.startsWith('in.'))) {
    const { data, shape } = golden.tensor(name);
    if (name.startsWith('in.control')) continue;
    inputs[name.slice(3)] =
      data instanceof BigInt64Array ? { ids: data, shape } : { data: data as Float32Array, shape };
  }
  const prefix = params.prefix ?? '';
  const comparisons: Comparison[] = [];
  for (const [suffix, name] of modelNames(dir, params)) {
    const source = await openUNet(dir, name, prefix);
    const patches = params.control ? [residuals(golden, source, params.control)] : [];
    const got = await runUNet(source, inputs, patches);
    comparisons.push(check(golden, `out.eps${suffix}`, got.eps));
    for (const mid of golden.names.filter((key) => key.startsWith('mid.'))) {
      comparisons.push(check(golden, mid, got[mid]));
    }
  }
  return { comparisons };
}

async function tokenMerging(golden: Golden, dir: string): Promise<CaseResult> {
  const { model, prefix, ratio, manual_seed: seed } = golden.params;
  const source = await openUNet(dir, model!, prefix!);
  const [x, timesteps, context] = ['in.x', 'in.timesteps', 'in.context'].map((name) =>
    golden.array(name),
  );
  const outer = unetBlocks(openWeights(source)).filter(({ level }) => level === 0);
  const sites = outer.flatMap(({ selfAttentions }) => selfAttentions);
  const patch = tokenMergingPatch({ name: 'tome', ratio: ratio!, sites });
  const generator = new TorchGenerator(seed!);
  const { eps } = await runUNet(source, { x, timesteps, context }, [patch], () => generator);
  const plain = await runUNet(source, { x, timesteps, context });
  return {
    comparisons: [check(golden, 'out.eps', eps), check(golden, 'out.eps.plain', plain.eps)],
  };
}

async function freeu(golden: Golden, dir: string): Promise<CaseResult> {
  const { model, prefix, b1, b2, s1, s2 } = golden.params;
  const source = await openUNet(dir, model!, prefix!);
  const [x, timesteps, context] = ['in.x', 'in.timesteps', 'in.context'].map((name) =>
    golden.array(name),
  );
  const { modelChannels } = detectUNet(openWeights(source))!;
  const factors = { modelChannels, b1: b1!, b2: b2!, s1: s1!, s2: s2! };
  const patched = { freeu: 1, freeu_v2: 2 } as const;
  const comparisons: Comparison[] = [];
  for (const [name, version] of Object.entries(patched)) {
    const patch = freeuPatch({ version, ...factors });
    const { eps } = await runUNet(source, { x, timesteps, context }, [patch]);
    comparisons.push(check(golden, `out.eps.${name}`, eps));
  }
  const { eps } = await runUNet(source, { x, timesteps, context });
  return { comparisons: [...comparisons, check(golden, 'out.eps.plain', eps)] };
}

/** The residuals of a case at their places in the network, in symbolic sizes. */
function residuals(
  golden: Golden,
  source: WeightSource,
  control: NonNullable<Params['control']>,
): NetworkPatch {
  const named = (list: readonly (string | null)[]) => list.map((name) => name ?? undefined);
  const all = unetPlaces(openWeights(source));
  const values = residualsAt(all, {
    input: named(control.input),
    middle: named(control.middle),
    output: named(control.output),
  });
  const places = [...all].filter(([site]) => values.has(site));
  return {
    ...residualPatch('control', new Map(places)),
    feeds: () =>
      Object.fromEntries(
        [...values].map(([site, name]) => [`control/${site}`, golden.array(name)]),
      ),
  };
}

/** `model` (also under diffusers names, where that file exists), or every file that `models` stands for (`inpaint9_{bf16,fp8}.safetensors`). */
function modelNames(
  dir: string,
  { model, models }: Params,
): (readonly [suffix: string, name: string])[] {
  if (models === undefined) {
    const twin = model!.replace(/\.safetensors$/, '_diffusers.safetensors');
    const hasTwin =
      twin !== model && findModelFile(dir, 'unet', join('models', twin)) !== undefined;
    return [['', model!], ...(hasTwin ? [['', twin] as const] : [])];
  }
  const [, before, list, after] = /^(.*)\{(.*)\}(.*)$/.exec(models)!;
  return list.split(',').map((part) => [`.${part}`, before + part + after]);
}

async function applyModel(golden: Golden, dir: string): Promise<CaseResult> {
  const { params } = golden;
  const settings = samplingOf(params);
  if (!settings) return { skip: `model type ${params.model_type}` };
  const sampling = createModelSampling(settings);
  const x = golden.array('in.x');
  const sigma = golden.array('in.sigma').data;
  const scaled = sampling.calculateInput(sigma, x);
  const timesteps = Float32Array.from(sigma, (value) => sampling.timestep(value));
  const source = await openUNet(dir, params.model!, params.prefix!);
  const { eps } = await runUNet(source, {
    x: scaled,
    timesteps: { data: timesteps, shape: [timesteps.length] },
    context: golden.array('in.context'),
  });
  return {
    comparisons: [
      check(golden, 'mid.x_scaled', scaled),
      check(golden, 'mid.timestep', { data: timesteps, shape: [timesteps.length] }),
      check(golden, 'out.denoised', sampling.calculateDenoised(sigma, eps, x)),
    ],
  };
}

function samplingOf({ model_type, sampling_settings = {} }: Params): SamplingSettings | undefined {
  const prediction = (
    { EPS: 'eps', V_PREDICTION: 'v', V_PREDICTION_EDM: 'v-edm', EDM: 'edm' } as const
  )[model_type as 'EPS'];
  const camel = (key: string) => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const schedule = Object.fromEntries(
    Object.entries(sampling_settings).map(([key, value]) => [camel(key), value]),
  );
  return prediction && { prediction, schedule };
}

async function sdxlVector(golden: Golden): Promise<CaseResult> {
  const { params } = golden;
  const pooled = golden.array('in.pooled');
  const given = params.params ?? {};
  const size = { width: 768, height: 768 };
  const { width, height } = given;
  const inputs: Record<string, readonly number[]> = {
    'base.defaults': numbersOf('sdxl', {}, size),
    'base.full': numbersOf('sdxl', given, size),
    'base.size_only': numbersOf('sdxl', { width, height }, size),
    'refiner.positive': numbersOf('sdxl-refiner', given, size),
    'refiner.negative': numbersOf('sdxl-refiner', { width, height, prompt_type: 'negative' }, size),
  };
  for (const name of golden.names) {
    const score = /^out\.(refiner\.score(.+))$/.exec(name);
    if (score) {
      const aesthetic = { width, height, aesthetic_score: Number(score[2]) };
      inputs[score[1]] = numbersOf('sdxl-refiner', aesthetic, size);
    }
  }
  const comparisons: Comparison[] = [];
  for (const [name, numbers] of Object.entries(inputs)) {
    if (golden.has(`out.${name}`)) {
      comparisons.push(check(golden, `out.${name}`, await vectorOf(pooled, numbers)));
    }
  }
  for (const name of golden.names) {
    const embed = /^mid\.embed256_of_(\d+)$/.exec(name);
    if (embed) comparisons.push(check(golden, name, await embeddingOf(Number(embed[1]))));
  }
  return { comparisons };
}

/** The vector of one picture and of two. */
async function unclip(golden: Golden): Promise<CaseResult> {
  const { params } = golden;
  const pictures = params.strengths!.map((strength, i) => ({
    output: { embeds: golden.array(`in.embeds.${i}`) },
    strength,
    noiseAugmentation: params.noise_augmentation![i],
  }));
  const stats = { mean: golden.array('in.data_mean'), std: golden.array('in.data_std') };
  const options = { width: params.dim!, mergeNoise: params.merge!, seed: params.sampler_seed! };
  const of = (count: number): NDArray =>
    unclipVector(pictures.slice(0, count), { ...options, stats });
  return {
    comparisons: [check(golden, 'out.adm.one', of(1)), check(golden, 'out.adm.two', of(2))],
  };
}

function numbersOf(
  family: string,
  extra: Readonly<Record<string, unknown>>,
  picture: { width: number; height: number },
): readonly number[] {
  return families.find(({ name }) => name === family)!.vector!.numbers(extra, picture);
}

const noWeights = memorySource('none', 'none', []);

async function vectorOf(pooled: NDArray, numbers: readonly number[]): Promise<NDArray> {
  const [batch, width] = pooled.shape;
  const session = await runtime.session(`vector|${width}|${numbers.length}`, () =>
    trace('vector', noWeights, (g) => ({
      y: vectorCondition(
        g.input('pooled', 'f32', ['batch', width]),
        g.input('numbers', 'f32', ['batch', numbers.length]),
      ),
    })),
  );
  const row = { data: Float32Array.from(numbers), shape: [1, numbers.length] };
  const all = concat(new Array<NDArray>(batch).fill(row));
  return (await session.run({ pooled, numbers: all })).y;
}

async function embeddingOf(value: number): Promise<NDArray> {
  const session = await runtime.session('embedding256', () =>
    trace('embedding', noWeights, (g) => ({
      y: sinusoidalEmbedding(g.input('t', 'f32', ['batch']), 256),
    })),
  );
  return (await session.run({ t: { data: Float32Array.from([value]), shape: [1] } })).y;
}

function check(golden: Golden, name: string, got: NDArray): Comparison {
  return compare(name, got, golden.array(name), golden.tolerance);
}

export const area: GoldenArea = {
  name: 'unet',
  list: async (dir) => goldenFiles(dir, '.safetensors').map((file) => file.slice(0, -12)),
  async run(dir, name) {
    const golden = await openCase<Params>(join(dir, `${name}.safetensors`));
    const { op } = golden.params;
    return operations[op]?.(golden, dir) ?? { skip: `unknown operation '${op}'` };
  },
};

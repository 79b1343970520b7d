/** Cases of diffusion transformers: from conditioning to the denoised latent. */
import { join } from 'node:path';
import { type NDArray, reshape } from '../../../engine/array/nd.ts';
import { families } from '../../../engine/arch/families/index.ts';
import type { ConditioningEntry } from '../../../engine/sampling/conditioning.ts';
import type { Runtime } from '../../../engine/runtime/runtime.ts';
import { diffusionModelOf } from '../../../engine/values/load-checkpoint.ts';
import { type Model, diffusion } from '../../../engine/values/model.ts';
import { openSource } from '../../../engine/weights/open.ts';
import { sliceAxis } from '../../../engine/array/batch.ts';
import { goldenRuntime } from '../device.ts';
import { runMemory } from '../../support/run-memory.ts';
import { NoodleError } from '../../../engine/errors.ts';
import { goldenFiles } from '../../support/golden.ts';
import { type CaseResult, type Comparison, type GoldenArea, compare } from '../area.ts';
import { autoencoderCase } from './autoencoder.ts';
import { type GoldenCase, gunzipped, openCase } from '../open-case.ts';
import { findModelFile, modelFile } from '../model-file.ts';

interface Params {
  readonly model?: string;
  readonly family?: string;
  readonly seed?: number;
  readonly [name: string]: unknown;
}

type Golden = GoldenCase<Params>;

/** Where a case's files lie, and where it is computed. */
interface Place {
  readonly dir: string;
  readonly area: string;
  readonly runtime: Runtime;
}

/** What a case calls the text that the network attends to. */
const textNames = ['in.context', 'in.context_t5'];

/** Tensors of a case that text sides put into the conditioning. */
const toldNames = {
  attention_mask: 'in.attention_mask',
  conditioning_llama3: 'in.llama_hidden_states',
  conditioning_mt5xl: 'in.context_mt5',
  attention_mask_mt5xl: 'in.attention_mask_mt5',
  conditioning_byt5small: 'in.byt5',
};

/** Parameters of a case that nodes would have put into the conditioning. */
const extraNames = ['width', 'height', 'noise_augmentation'];

/** The case's conditioning as nodes make it. */
function entryOf(golden: Golden): ConditioningEntry {
  const { params } = golden;
  const numbered = (name: string): NDArray[] => {
    const found: NDArray[] = [];
    for (let i = 0; golden.has(`in.${name}${i}`); i++) found.push(golden.array(`in.${name}${i}`));
    return found;
  };
  const references = numbered('ref');
  const extra: Record<string, unknown> = {};
  for (const name of extraNames) {
    if (params[name] !== undefined && params[name] !== null) extra[name] = params[name];
  }
  if (typeof params.guidance === 'number' || params.guidance === null) {
    extra.guidance = params.guidance;
  }
  const { reference_latents_method: method } = params;
  if (typeof method === 'string' && !method.endsWith('(default)')) {
    extra.reference_latents_method = method;
  }
  if (references.length > 0) extra.reference_latents = references;
  extra.reference_latents_text_embeds = numbered('ref_text');
  extra.clip_vision_outputs = numbered('siglip').map((view) => {
    const [batch, rows, columns, width] = view.shape;
    return { last: reshape(view, [batch, rows * columns, width]), grid: [rows, columns] };
  });
  for (const [name, key] of Object.entries(toldNames)) {
    if (!golden.has(key)) continue;
    const { data, shape } = golden.numbers(key);
    extra[name] = { data: Float32Array.from(data), shape };
  }
  return {
    cross: golden.array(textNames.find((name) => golden.has(name))!),
    pooled: golden.optional('in.pooled'),
    concatLatent: golden.optional('in.concat_latent_image'),
    concatMask: golden.optional('in.concat_mask'),
    extra,
  };
}

/** The model of a case by the name of its file. */
export async function openModel(dir: string, area: string, name: string): Promise<Model> {
  const path = findModelFile(dir, area, name) ?? modelFile(dir, area, `${name}.safetensors`);
  const source = await openSource(await gunzipped(path));
  const model = await diffusionModelOf(source, families);
  const { unet_config: told } = JSON.parse(source.metadata?.model ?? '{}') as Metadata;
  return { ...model, config: { ...(model.config as object), ...conventions(told ?? {}) } };
}

interface Metadata {
  readonly unet_config?: Readonly<Record<string, unknown>>;
}

/** What a release fixes by convention, as the small model of a case has it. */
function conventions(told: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const axes = told.axes_dim ?? told.axes_dims ?? told.axes_dims_rope ?? told.axes_dim_rope;
  const theta = told.theta ?? told.rope_theta;
  const layers = told.llama_layers;
  const stretch = told.pe_interpolation;
  const heads = told.n_heads ?? told.num_heads ?? told.num_attention_heads ?? told.nhead;
  return {
    ...(heads !== undefined && { heads }),
    ...(axes !== undefined && { axes }),
    ...(theta !== undefined && { theta }),
    ...(layers !== undefined && { layers }),
    ...(stretch !== undefined && { stretch }),
  };
}

/** The whole way of a call: conditions, network, and how its output is read. */
async function run({ dir, area, runtime }: Place, golden: Golden): Promise<CaseResult> {
  const { params, tolerance } = golden;
  const found = await openModel(dir, area, params.model!);
  const x = golden.array('in.x');
  const sigma = golden.array('in.sigma').data;
  const model = diffusion(found, { runtime });
  const sampling = model.modelSampling;
  const conditions = await model.encodeConditioning(entryOf(golden), {
    latentShape: x.shape,
    noise: x,
    denoiseMask: golden.optional('in.denoise_mask'),
    seed: params.seed,
  });
  const cond = Object.fromEntries(
    Object.entries(conditions).map(([name, { value }]) => [name, repeated(value, x.shape[0])]),
  );
  // pictures of each row's own, which no conditioning brings
  if (golden.has('in.clip_img')) cond.pictures = golden.array('in.clip_img');
  const timesteps = Float32Array.from(sigma, (value) => sampling.timestep(value));
  const output = await model.apply({
    x: sampling.calculateInput(sigma, x),
    timesteps,
    cond,
    sigma: sigma[0],
    parts: [{ list: 0, entry: entryOf(golden) }],
    run: runMemory(golden.optional('in.sample_sigmas')?.data),
  });
  const check = (name: string, got: NDArray): Comparison =>
    compare(name, got, golden.array(name), tolerance);
  const comparisons = [check('out.model_output', output)];
  if (golden.has('mid.timestep')) {
    comparisons.push(check('mid.timestep', { data: timesteps, shape: [timesteps.length] }));
  }
  if (golden.has('out.denoised')) {
    comparisons.push(check('out.denoised', sampling.calculateDenoised(sigma, output, x)));
  }
  return { comparisons };
}

/** One row for every row of the latent. */
function repeated(value: NDArray, rows: number): NDArray {
  if (value.shape[0] === rows) return value;
  const row = sliceAxis(value, 0, 0, 1);
  const data = new Float32Array(row.data.length * rows);
  for (let i = 0; i < rows; i++) data.set(row.data, i * row.data.length);
  return { data, shape: [rows, ...row.shape.slice(1)] };
}

const ending = '.safetensors';

/** An area of such cases, computed where all are unless told. */
export const transformerArea = (area: string, runtime = goldenRuntime()): GoldenArea => ({
  name: area,
  list: async (dir) =>
    goldenFiles(dir, ending)
      .filter((file) => !file.startsWith('model_'))
      .map((file) => file.slice(0, -ending.length)),
  async run(dir, name) {
    const golden = await openCase<Params>(join(dir, `${name}${ending}`));
    if (golden.has('out.encoded')) return autoencoderCase(dir, area, golden);
    if (golden.params.model === undefined || !textNames.some((name) => golden.has(name))) {
      return { skip: 'no case of a diffusion transformer with one text' };
    }
    try {
      return await run({ dir, area, runtime }, golden);
    } catch (error) {
      if (!(error instanceof NoodleError) || error.code !== 'FAMILY_UNKNOWN') throw error;
      return { skip: error.message };
    }
  },
});

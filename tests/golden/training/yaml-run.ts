/**
 * Golden `training/yaml-run`: short runs of a job file's loop, put together from the parts of ours and drawn by our own
 * generator from the same seed.
 */
import { join } from 'node:path';
import { concat, rows } from '../../../engine/array/batch.ts';
import { type NDArray, zeros } from '../../../engine/array/nd.ts';
import { families } from '../../../engine/arch/families/index.ts';
import { unetNetwork } from '../../../engine/arch/families/unet-network.ts';
import type { UNetConfig } from '../../../engine/arch/unet.ts';
import type { AdapterParts } from '../../../engine/patch/lora/kinds.ts';
import { pythonRandom } from '../../../engine/sampling/noise/python-random.ts';
import { TorchGenerator } from '../../../engine/sampling/noise/torch-generator.ts';
import { denoisingTrainer, averaged } from '../../../engine/training/denoising.ts';
import { updateAverage } from '../../../engine/training/ema.ts';
import { dialects } from '../../../engine/training/files/dialects.ts';
import { savedTensors } from '../../../engine/training/files/tensors.ts';
import { newReading } from '../../../engine/training/job/findings.ts';
import { readSection } from '../../../engine/training/job/read-section.ts';
import {
  type TrainSettings,
  trainRows,
  trainSettings,
} from '../../../engine/training/job/sections/train.ts';
import { asker } from '../../../engine/training/loop/ask.ts';
import { drawBatch, scheduleFor } from '../../../engine/training/loop/draw.ts';
import { trainedEncoderModules, trainedModules } from '../../../engine/training/modules/choose.ts';
import { trainedFamily } from '../../../engine/training/modules/families.ts';
import { type TrainedModule, ownPath } from '../../../engine/training/modules/module.ts';
import { type Adapter, trainedParts } from '../../../engine/training/networks/adapter.ts';
import { clipGradient } from '../../../engine/training/clip.ts';
import { type Trainees, numbersIn, together } from '../../../engine/training/networks/trainees.ts';
import { jobLosses } from '../../../engine/training/objective/losses.ts';
import { jobMask } from '../../../engine/training/objective/masks.ts';
import { createOptimizer } from '../../../engine/training/optimizers/index.ts';
import { trainerDefaults } from '../../../engine/training/optimizers/trainer-defaults.ts';
import { scheduleOf } from '../../../engine/training/schedules.ts';
import {
  type TrainedText,
  rowOf,
  textInputs,
  textTrainer,
} from '../../../engine/training/text-encoding.ts';
import type { Clip } from '../../../engine/values/clip.ts';
import { diffusionModelOf, loadCheckpoint } from '../../../engine/values/load-checkpoint.ts';
import type { Model } from '../../../engine/values/model.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { type CaseResult, compare } from '../area.ts';
import { goldenRuntime } from '../device.ts';
import { modelFile } from '../model-file.ts';
import { type GoldenCase, gunzipped, openCase } from '../open-case.ts';
import { effect, list, namesOf, tensorsWithin } from './runs.ts';

interface Params {
  readonly model: string;
  readonly names: readonly string[];
  readonly loosely_determined: readonly string[];
  /** Saved names -> modules. */
  readonly modules: Readonly<Record<string, string>>;
  readonly alphas: Readonly<Record<string, number>>;
  readonly generator_seed: number;
  readonly config: Readonly<Record<string, unknown>> & {
    readonly batch_size: number;
    readonly items: number;
    readonly gradient_accumulation?: number;
    readonly steps: number;
    readonly mask?: boolean;
    readonly ema_decay?: number;
    readonly train_text_encoder?: boolean;
  };
}
type Golden = GoldenCase<Params>;

const network = { runtime: goldenRuntime() };

interface Subject {
  readonly model: Model;
  readonly clip: Clip;
}

async function subjectOf(golden: Golden, dir: string): Promise<Subject> {
  const { model: file, config } = golden.params;
  const path = await gunzipped(modelFile(dir, 'training/yaml-run', file));
  if (config.train_text_encoder) {
    const { model, clip } = await loadCheckpoint(path, families);
    return { model, clip: clip! };
  }
  const opened = await diffusionModelOf(await openSafetensors(path), families);
  const model = golden.has('in.y') ? toldWhole(opened, golden.array('in.y')) : opened;
  return { model, clip: { setup: model.family.text, encoders: [] } };
}

/** A model whose vector condition the case gives as a whole, sizes and all. */
function toldWhole(model: Model, { shape: [, width] }: NDArray): Model {
  const { family } = model;
  if (!family.vector) return model;
  // numbers are embedded behind the pooled text: none of them, and a text as wide as both
  const whole: Model['family']['network'] = (g, config) =>
    unetNetwork(g, config as UNetConfig, () => g.input('pooled', 'f32', ['batch', width]));
  const vector = { ...family.vector, pooledWidth: () => width, numbers: () => [] };
  return { ...model, family: { ...family, vector, network: whole } };
}

/** The settings of the case, as a job file has them. */
function settingsOf(golden: Golden, model: Model): TrainSettings {
  const { config } = golden.params;
  const { lr, ...optimizer_params } = config.optimizer_params as { readonly lr: number };
  const given = Object.fromEntries(
    Object.keys(trainRows).flatMap((name) => (name in config ? [[name, config[name]]] : [])),
  );
  const noise_scheduler = model.sampling.prediction === 'flow' ? 'flowmatch' : 'ddpm';
  const found = newReading((path) => path);
  const values = readSection(
    trainRows,
    { ...given, lr, optimizer_params, noise_scheduler },
    'train.',
    found,
  );
  const settings = trainSettings(values, 'train.', found);
  if (found.problems.length > 0) throw new Error(found.problems.join('\n'));
  return settings;
}

/** The adapters of the case's modules, as they are at the start. */
function traineesOf(golden: Golden, { model, clip }: Subject): Trainees {
  const { modules, alphas } = golden.params;
  const bases = new Map(Object.entries(modules).map(([base, module]) => [module, base]));
  const adaptersOf = (found: readonly TrainedModule[]): Adapter[] =>
    found.flatMap((module) => {
      const base = bases.get(ownPath(module));
      if (base === undefined) return [];
      return [{ module, parts: partsAtStart(golden, base, module), alpha: alphas[base] }];
    });
  const choice = { conv: true, transformerOnly: false };
  return together([
    ...clip.encoders.map(({ spec, source }) => {
      const encoder = { name: spec.name, alone: clip.encoders.length === 1 };
      const found = trainedEncoderModules(source, encoder, {});
      return { encoder: spec.name, source, adapters: adaptersOf(found) };
    }),
    {
      source: model.source,
      adapters: adaptersOf(trainedModules(model.source, model.family, choice)),
    },
  ]);
}

/** What the case has numbers of; the others begin with zeros. */
function partsAtStart(golden: Golden, base: string, module: TrainedModule): AdapterParts {
  const [out, inputs, ...kernel] = module.shape;
  const w1 = golden.optional(`in.init.${base}.lokr_w1`);
  if (w1) return { w1, w2: zeros([out / w1.shape[0], inputs / w1.shape[1], ...kernel]) };
  const down = golden.array(`in.init.${base}.lora_down.weight`);
  return { down, up: zeros([out, down.shape[0], ...kernel.map(() => 1)]) };
}

const picked = (of: NDArray, indices: readonly number[]): NDArray =>
  concat(indices.map((i) => rows(of, i, i + 1)));

/** A caption's encoding, and where text encoders are trained the way back into them. */
type Told = (item: number) => Promise<Pick<TrainedText, 'entry'> & Partial<TrainedText>>;

function captionsOf(
  golden: Golden,
  subject: Subject,
  trainees: Trainees,
  values: Float32Array,
): Told {
  const item = (name: string, i: number): NDArray => rows(golden.array(name), i, i + 1);
  if (!golden.has('in.tokens')) {
    const extra = { guidance: 1 };
    return async (i) => ({
      entry: {
        cross: item('in.context', i),
        ...(golden.has('in.y') && { pooled: item('in.y', i) }),
        extra,
      },
    });
  }
  const { data, shape } = golden.numbers('in.tokens');
  const [encoder] = subject.clip.encoders;
  const encode = textTrainer(subject.clip, { trainees, values }, { run: network, recompute: true });
  return (i) => {
    const ids = data.slice(i * shape[1], (i + 1) * shape[1]);
    const batch = { ids, weights: ids.map(() => 1), wordIds: ids.map(() => 0) };
    return encode({ [encoder.spec.name]: [batch] });
  };
}

async function trained(golden: Golden, dir: string) {
  const { config, generator_seed } = golden.params;
  const subject = await subjectOf(golden, dir);
  const { model } = subject;
  const train = settingsOf(golden, model);
  const trainees = traineesOf(golden, subject);
  const values = trainees.start();
  const gradient = new Float32Array(values.length);
  const average = config.ema_decay === undefined ? undefined : values.slice();
  const defaults = trainerDefaults[train.optimizer];
  const optimizer = createOptimizer(
    train.optimizer,
    trainees.layout,
    { ...defaults?.settings, ...train.optimizerParams },
    values,
  );
  const rateAt = scheduleOf(train.lrScheduler, train.lrSchedulerParams, train.steps);
  const diffusion = trainees.list.find(({ encoder }) => encoder === undefined)!;
  const own = { network: diffusion.network, values: numbersIn(values, diffusion) };
  const judgement = { loss: jobLosses.mse, lossName: 'mse', masked: config.mask ?? false };
  const trainer = denoisingTrainer(model, network, own, {
    judgement,
    recompute: true,
    through: golden.has('in.tokens') ? textInputs : [],
  });
  const schedule = scheduleFor(
    model.sampling.prediction === 'flow' ? 'flow' : 'eps',
    trainedFamily(model.family.name),
  );
  const ask = asker(model, network);
  const captions = captionsOf(golden, subject, trainees, values);
  const draws = { generator: new TorchGenerator(generator_seed), list: pythonRandom(0) };
  const losses: number[] = [];
  const timesteps: number[] = [];
  const indices: number[] = [];

  async function microStep(): Promise<number> {
    const items = [...draws.generator.randperm(config.items).subarray(0, config.batch_size)];
    const drawn = drawBatch(
      {
        latents: picked(golden.array('in.latents'), items),
        pictures: items.map((i) => ({ path: String(i) })),
        lossMultiplier: 1,
        isReg: false,
      },
      train,
      schedule,
      draws,
    );
    indices.push(...items);
    timesteps.push(...drawn.timesteps);
    const told = [];
    for (const i of items) told.push(await captions(i));
    const entries = told.map(({ entry }) => entry);
    const input = await ask({ noisy: drawn.noisy, timesteps: drawn.timesteps, entries });
    const mask = config.mask ? picked(golden.array('in.mask'), items) : undefined;
    const [height, width] = drawn.noisy.shape.slice(-2);
    const { loss, through } = await trainer.step(
      input,
      {
        mix: averaged(items.length, 1),
        scale: new Float32Array(items.length).fill(1),
        target: drawn.target,
        weight: Float32Array.from(drawn.weights),
        ...(mask && { mask: jobMask(mask, height, width, { minValue: 0 }) }),
      },
      numbersIn(gradient, diffusion),
    );
    for (const [i, { learn }] of told.entries()) await learn?.(rowOf(through, i), gradient);
    return loss;
  }

  for (let step = 0; step < config.steps; step++) {
    let loss = 0;
    for (let i = 0; i < train.gradientAccumulation; i++) loss += await microStep();
    losses.push(loss / train.gradientAccumulation);
    // the norm of the reference's loop is that of all together
    if (defaults?.clips !== false) clipGradient(gradient, train.maxGradNorm);
    optimizer.step(values, gradient, () => rateAt(step, train.lr));
    gradient.fill(0);
    if (average) {
      const settings = { ema_decay: config.ema_decay!, use_feedback: false, param_multiplier: 1 };
      updateAverage(average, values, settings);
    }
  }
  const dialect = dialects[schedule.prediction === 'flow' ? 'kohya' : 'diffusers'];
  const tensorsOf = (all: Float32Array): Map<string, NDArray> =>
    savedTensors(
      trainees.list.flatMap((trainee) =>
        trainedParts(trainee.adapters, trainee.network, numbersIn(all, trainee)),
      ),
      dialect,
    );
  return {
    losses,
    timesteps,
    indices,
    tensors: tensorsOf(values),
    averages: average && tensorsOf(average),
  };
}

/** Runs a case from its seed. */
export async function run(dir: string, name: string): Promise<CaseResult> {
  const golden = await openCase<Params>(join(dir, `${name}.safetensors`));
  const got = await trained(golden, dir);
  const expected = golden.array('out.loss');
  const drawn = (name: string, values: readonly number[]) =>
    compare(name, list(values), list(golden.numbers(`in.draw.${name}`).data), { atol: 0, rtol: 0 });
  const named = [...got.tensors.keys()].filter((each) => !each.endsWith('.alpha'));
  return {
    comparisons: [
      drawn('indices', got.indices),
      drawn('timesteps', got.timesteps),
      compare('loss', list(got.losses), expected, { atol: 0, rtol: 0.01 }),
      effect(got.losses, expected.data, golden.array('out.loss_untrained').data),
      namesOf(named, golden.params.names),
      ...tensorsWithin(golden, got.tensors),
      ...(got.averages ? tensorsWithin(golden, got.averages, 'out.ema.') : []),
    ],
  };
}

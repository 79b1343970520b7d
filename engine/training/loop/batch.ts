/** One micro-batch of a job: from its pictures and captions to gradients. */
import { concat } from '../../array/batch.ts';
import type { NDArray } from '../../array/nd.ts';
import type { ConditioningEntry } from '../../sampling/conditioning.ts';
import { diffusion } from '../../values/model.ts';
import type { Batch, Sample } from '../data/order.ts';
import { maskOf } from '../data/pictures.ts';
import { type Told, averaged } from '../denoising.ts';
import type { DatasetSettings } from '../job/sections/dataset.ts';
import type { TrainSettings } from '../job/sections/train.ts';
import type { TrainingJob } from '../job/job.ts';
import { trainedFamily } from '../modules/families.ts';
import type { Trainees } from '../networks/trainees.ts';
import { jobLosses } from '../objective/losses.ts';
import { jobMask } from '../objective/masks.ts';
import { asker } from './ask.ts';
import { type Draws, drawBatch, scheduleFor } from './draw.ts';
import { guidesItself } from './guided.ts';
import type { TrainingHost } from './host.ts';
import { type Learner, learner } from './learner.ts';
import type { Subject } from './subject.ts';

type JobBatch = Batch<DatasetSettings>;

/** Forward and backward for a batch: adds to `gradient`, answers with the loss. */
export type TrainBatch = (batch: JobBatch, gradient: Float32Array) => Promise<number>;

/** How a job's batches are trained. */
export function batchTrainer(
  { train, datasets }: TrainingJob,
  subject: Subject,
  trained: { readonly trainees: Trainees; readonly values: Float32Array },
  draws: Draws,
  { runtime }: TrainingHost,
): TrainBatch {
  const { model, prediction, textOf, latentOf } = subject;
  const schedule = scheduleFor(prediction, trainedFamily(model.family.name));
  const isMasked = datasets.some(hasMasks);
  const judgement = {
    loss: jobLosses[train.lossType],
    lossName: train.lossType,
    masked: isMasked,
    ...(train.maxLoss !== undefined && { maxLoss: train.maxLoss }),
  };
  const recompute = train.gradientCheckpointing;
  const extra = guidesItself(model) ? { guidance: train.bypassGuidanceEmbedding ? 0 : 1 } : {};
  const learners = new Map<number, Learner>();
  const learnerAt = (strength: number): Learner => {
    const options = { judgement, recompute, strength, extra };
    const made = learners.get(strength) ?? learner(subject, trained, options, { runtime });
    learners.set(strength, made);
    return made;
  };
  const ask = asker(model, { runtime });
  const plain = diffusion(model, { runtime });
  const heard = (caption: string): string =>
    train.promptDropoutProb > 0 && draws.list.random() < train.promptDropoutProb ? '' : caption;

  return async ({ set, samples }, gradient) => {
    const { settings } = set;
    const parts: NDArray[] = [];
    for (const sample of samples) parts.push(await latentOf(set, sample));
    const drawn = drawBatch(
      {
        latents: concat(parts),
        pictures: samples.map(({ item }) => item),
        lossMultiplier: settings.lossMultiplier,
        isReg: settings.isReg,
      },
      train,
      schedule,
      draws,
    );
    const { noisy, timesteps, target, weights } = drawn;
    const question = { noisy, timesteps };
    const captions = samples.map(({ caption }) => caption);
    const count = samples.length;
    const told: Told = {
      mix: averaged(count, 1),
      scale: new Float32Array(count).fill(train.predScaler),
      target,
      weight: Float32Array.from(weights),
      ...(isMasked && { mask: await masksOf(settings, samples, noisy) }),
    };
    const own = learnerAt(settings.networkWeight);
    const loss = await own.step(
      {
        ...question,
        captions: captions.map(heard),
        told: async (input) =>
          settings.priorReg ? { ...told, target: await plain.apply(input) } : told,
      },
      gradient,
    );
    const kept = preserved(train, settings.triggerWord);
    if (!kept) return loss;
    const others = captions.map(kept.caption).map(heard);
    return loss + (await own.step({ ...question, captions: others, told: before }, gradient));

    /** What the adapter makes of another prompt is held against what the model makes of it without. */
    async function before(): Promise<Told> {
      const entries: ConditioningEntry[] = [];
      for (const caption of others) {
        const entry = await textOf(caption);
        entries.push({ ...entry, extra: { ...entry.extra, ...extra } });
      }
      return {
        ...told,
        scale: new Float32Array(count).fill(1),
        target: await plain.apply(await ask({ ...question, entries })),
        weight: new Float32Array(count).fill(kept!.multiplier),
        ...(told.mask && { mask: ones(told.mask) }),
      };
    }
  };
}

const ones = ({ data, shape }: NDArray): NDArray => ({ data: data.map(() => 1), shape });

const hasMasks = ({ alphaMask, maskPath }: DatasetSettings): boolean =>
  alphaMask || maskPath !== undefined;

/** How much each place counts; everything where a set has no masks. */
async function masksOf(
  settings: DatasetSettings,
  samples: readonly Sample[],
  { shape }: NDArray,
): Promise<NDArray> {
  const [height, width] = shape.slice(-2);
  const masks: NDArray[] = [];
  for (const sample of samples) {
    const mask = await maskOf(settings, sample);
    if (mask) masks.push(mask);
  }
  if (masks.length > 0) {
    return jobMask(concat(masks), height, width, { minValue: settings.maskMinValue });
  }
  const places = samples.length * height * width;
  return { data: new Float32Array(places).fill(1), shape: [samples.length, 1, height, width] };
}

/** Of which prompt the model is to keep what it made of it, if of any. */
function preserved(
  train: TrainSettings,
  trigger: string | undefined,
): { caption: (caption: string) => string; multiplier: number } | undefined {
  if (train.blankPromptPreservation) {
    return { caption: () => '', multiplier: train.blankPromptPreservationMultiplier };
  }
  if (!train.diffOutputPreservation) return undefined;
  const word = train.diffOutputPreservationClass;
  return {
    caption: (caption) => (trigger ? caption.replaceAll(trigger, () => word) : caption),
    multiplier: train.diffOutputPreservationMultiplier,
  };
}

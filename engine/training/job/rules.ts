/** What the settings of a job must agree on. */
import type { TrainingJob } from './job.ts';

/** A rule: the path of the key that breaks it, and what is wrong with it; undefined where it holds. */
type Rule = (job: TrainingJob) => string | undefined;

const oneAccumulation: Rule = ({ train }) =>
  train.gradientAccumulation > 1 && train.gradientAccumulationSteps !== 1
    ? 'train.gradient_accumulation and train.gradient_accumulation_steps are mutually exclusive'
    : undefined;

const onePreservation: Rule = ({ train }) =>
  train.diffOutputPreservation && train.blankPromptPreservation
    ? 'train.diff_output_preservation and train.blank_prompt_preservation are mutually exclusive'
    : undefined;

const triggerToPreserve: Rule = ({ train, trigger }) =>
  train.diffOutputPreservation && trigger === undefined
    ? 'train.diff_output_preservation needs a trigger_word, which it replaces by the class'
    : undefined;

const snrOfNoiseOnly: Rule = ({ train }) =>
  train.noiseScheduler === 'flowmatch' && (train.minSnrGamma ?? train.snrGamma) !== undefined
    ? 'train.min_snr_gamma and train.snr_gamma weight the steps of ddpm; flowmatch has none'
    : undefined;

const somethingTrained: Rule = ({ train }) =>
  train.trainUnet || train.trainTextEncoder
    ? undefined
    : 'train.train_unet and train.train_text_encoder are both false: nothing would be trained';

const rangeOfSteps: Rule = ({ train: { minDenoisingSteps: min, maxDenoisingSteps: max } }) =>
  min < max
    ? undefined
    : `train.min_denoising_steps must lie below max_denoising_steps, got ${min} and ${max}`;

const textCachedByAll: Rule = ({ datasets }) =>
  new Set(datasets.map((set) => set.cacheTextEmbeddings)).size > 1
    ? 'datasets: cache_text_embeddings must be set for all of them or for none'
    : undefined;

const cachedTextStays: Rule = ({ datasets, train }) =>
  train.trainTextEncoder && datasets.some((set) => set.cacheTextEmbeddings)
    ? 'train.train_text_encoder: text that was encoded once (cache_text_embeddings) cannot be trained'
    : undefined;

const somePictures: Rule = ({ datasets }) =>
  datasets.length > 0 && datasets.every(({ isReg, priorReg }) => isReg || priorReg)
    ? 'datasets: all of them are for regularisation; one must be of what is to be learnt'
    : undefined;

export const rules: readonly Rule[] = [
  oneAccumulation,
  onePreservation,
  triggerToPreserve,
  snrOfNoiseOnly,
  somethingTrained,
  rangeOfSteps,
  textCachedByAll,
  cachedTextStays,
  somePictures,
];

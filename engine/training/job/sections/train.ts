/** `train`: how the adapter is trained. */
import type { jobLosses } from '../../objective/losses.ts';
import { optimizers } from '../../optimizers/index.ts';
import { substitutes, trainerDefaults } from '../../optimizers/trainer-defaults.ts';
import { scheduleOf } from '../../schedules.ts';
import { type Settings, settled } from '../../settings.ts';
import type { TimestepType } from '../../timesteps/tables.ts';
import { type Reading, substitution } from '../findings.ts';
import { choice, flag, mapping, never, real, share, spelled, text, whole } from '../readers.ts';
import { reading, section } from '../read-section.ts';
import { type Reader, type Rows, type Values, each, ignored, key, optional } from '../row.ts';
import { refusedTrainRows } from './train-refused.ts';

type JobLoss = keyof typeof jobLosses;

const FP32 = 'computed in fp32';
const MEMORY = 'memory is managed by the budget of the device';

const dtype = choice(['fp32'], {
  ...spelled('fp32', 'float32', 'float', 'single'),
  bf16: { becomes: 'fp32', why: FP32 },
  bfloat16: { becomes: 'fp32', why: FP32 },
  fp16: { becomes: 'fp32', why: FP32 },
  float16: { becomes: 'fp32', why: FP32 },
  half: { becomes: 'fp32', why: FP32 },
  '*float8*': { becomes: 'fp32', why: FP32 },
  'fp8*': { becomes: 'fp32', why: FP32 },
});

const optimizer = choice(Object.keys(optimizers), {
  ...Object.fromEntries(
    Object.entries(substitutes).map(([name, becomes]) => [name, { becomes, why: 'fp32 state' }]),
  ),
  ...never('there is no such optimizer here', 'ademamix8bit', 'dadapt*', 'automagic*'),
});

/** Settings of an optimizer or a schedule, which knows what it takes. */
const settings: Reader<Settings> = (given, at, found) => mapping(given, at, found) as Settings;

const schedule = choice(
  [
    'constant',
    'cosine',
    'cosine_with_restarts',
    'linear',
    'constant_with_warmup',
    'step',
    'polynomial',
  ],
  never('it fails upstream as well', 'piecewise_constant'),
  'Scheduler must be cosine, cosine_with_restarts, step, linear or constant',
);

const timestepTypes = [
  'sigmoid',
  'linear',
  'weighted',
  'lognorm_blend',
  'shift',
  'flux_shift',
  'lumina2_shift',
  'next_sample',
  'one_step',
  'two_step',
  'four_step',
  'eight_step',
] as const satisfies readonly TimestepType[];

const losses = ['mse', 'mae', 'pseudo_huber'] as const satisfies readonly JobLoss[];

const ema = {
  use_ema: key(flag, false),
  ema_decay: key(share, 0.999),
  use_feedback: key(flag, false),
  param_multiplier: key(real(), 1),
} satisfies Rows;

const noise = {
  noise_offset: key(real(), 0),
  dynamic_noise_offset: key(flag, false),
  ...each(key(real(), 1), [
    'noise_multiplier',
    'target_noise_multiplier',
    'noisy_latent_multiplier',
    'latent_multiplier',
    'pred_scaler',
    'img_multiplier',
  ]),
  random_noise_multiplier: key(real(), 0),
  random_noise_shift: key(real(), 0),
  force_consistent_noise: key(flag, false),
  optimal_noise_pairing_samples: key(whole(1, 1024), 1),
} satisfies Rows;

export const trainRows = {
  steps: key(whole(1, 1e9 - 1), 1000),
  batch_size: key(whole(1), 1),
  gradient_accumulation: key(whole(1), 1),
  gradient_accumulation_steps: key(whole(-1), 1),
  lr: key(real(0), 1e-6),
  unet_lr: optional(real(0)),
  text_encoder_lr: optional(real(0)),
  ...each(ignored('nothing of the kind is trained'), ['refiner_lr', 'embedding_lr', 'adapter_lr']),
  optimizer: key(optimizer, 'adamw'),
  optimizer_params: key(settings, {}),
  lr_scheduler: key(schedule, 'constant'),
  lr_scheduler_params: key(settings, {}),
  max_grad_norm: key(real(0), 1),
  noise_scheduler: key(
    choice(['ddpm', 'flowmatch'], never('training uses ddpm or flowmatch', '*')),
    'ddpm',
  ),
  timestep_type: key(choice(timestepTypes), 'sigmoid'),
  linear_timesteps: key(flag, false),
  linear_timesteps2: key(flag, false),
  next_sample_timesteps: key(whole(2), 8),
  content_or_style: key(choice(['balanced', 'content', 'style']), 'balanced'),
  min_denoising_steps: key(whole(), 0),
  max_denoising_steps: key(whole(), 999),
  num_train_timesteps: key(whole(2, 100_000), 1000),
  loss_type: key(
    choice(
      losses,
      never(`the loss is ${losses.join(', ')}`, 'wavelet', 'stepped', 'pixelspace', 'mean_flow'),
    ),
    'mse',
  ),
  loss_target: key(
    choice(
      ['noise'],
      never('only the noise is a target', 'source', 'unaugmented', 'differential_noise'),
    ),
    'noise',
  ),
  min_snr_gamma: optional(real(0)),
  snr_gamma: optional(real(0)),
  ...noise,
  reg_weight: key(real(0), 1),
  max_loss: optional(real(0)),
  max_loss_debug: key(flag, false),
  diff_output_preservation: key(flag, false),
  diff_output_preservation_multiplier: key(real(0), 1),
  diff_output_preservation_class: key(text, ''),
  blank_prompt_preservation: key(flag, false),
  blank_prompt_preservation_multiplier: key(real(0), 1),
  prompt_dropout_prob: key(share, 0),
  bypass_guidance_embedding: key(flag, false),
  train_unet: key(flag, true),
  train_text_encoder: key(flag, false),
  ema_config: key(section(ema), {
    useEma: false,
    emaDecay: 0.999,
    useFeedback: false,
    paramMultiplier: 1,
  }),
  dtype: key(dtype, 'fp32'),
  gradient_checkpointing: key(flag, true),
  skip_first_sample: key(flag, false),
  force_first_sample: key(flag, false),
  disable_sampling: key(flag, false),
  start_step: optional(whole()),
  cache_text_embeddings: key(flag, false),
  unload_text_encoder: key(flag, false),
  validation_config: ignored('no validation loss is measured'),
  ...each(ignored(MEMORY), ['xformers', 'sdp']),
  attention_backend: ignored(MEMORY, 'native'),
  ...refusedTrainRows,
} satisfies Rows;

/** How the adapter is trained. */
export interface TrainSettings extends Omit<
  Values<typeof trainRows>,
  'unetLr' | 'textEncoderLr' | 'gradientAccumulationSteps'
> {
  /** Rate of the adapters of the diffusion model. */
  readonly unetLr: number;
  /** Rate of the adapters of text encoders. */
  readonly textEncoderLr: number;
  /** Loop steps of one optimizer step; 'epoch': as many as an epoch has. */
  readonly gradientAccumulationSteps: number | 'epoch';
}

/**
 * Rates of networks that are not said are the common one; what the optimizer takes for a rate is said. Settings that
 * the optimizer or the schedule does not have become problems.
 */
export function trainSettings(
  values: Values<typeof trainRows>,
  at: string,
  found: Reading,
): TrainSettings {
  const { unetLr, textEncoderLr, gradientAccumulationSteps: every, ...rest } = values;
  const taken = trainerDefaults[rest.optimizer]?.rate;
  const rate = (name: string, value: number): number => {
    const used = taken?.(value) ?? value;
    if (used !== value) {
      const why = `${rest.optimizer} finds its rate itself`;
      found.substitutions.push(substitution(at + name, value, String(used), why));
    }
    return used;
  };
  const lr = rate('lr', values.lr);
  if (every === 0) found.problems.push(`${at}gradient_accumulation_steps: expected 1, more or -1`);
  reading(`${at}optimizer_params`, undefined, found, () =>
    settled(rest.optimizer, optimizers[rest.optimizer].defaults, rest.optimizerParams),
  );
  reading(`${at}lr_scheduler_params`, undefined, found, () =>
    scheduleOf(rest.lrScheduler, rest.lrSchedulerParams, rest.steps),
  );
  return {
    ...rest,
    lr,
    unetLr: unetLr === undefined ? lr : rate('unet_lr', unetLr),
    textEncoderLr: textEncoderLr === undefined ? lr : rate('text_encoder_lr', textEncoderLr),
    gradientAccumulationSteps: every === -1 ? 'epoch' : every,
  };
}

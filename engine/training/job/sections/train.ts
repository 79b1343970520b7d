/** `train`: how the adapter is trained. */
import { type Reading, substitution } from '../findings.ts';
import { choice, flag, mapping, never, real, share, spelled, text, whole } from '../readers.ts';
import { section } from '../read-section.ts';
import { type Rows, type Values, each, ignored, key, optional } from '../row.ts';
import { refusedTrainRows } from './train-refused.ts';

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

const optimizer = choice(
  [
    'adam',
    'adamw',
    'adam8bit',
    'adamw8bit',
    'lion',
    'lion8bit',
    'adagrad',
    'adafactor',
    'prodigy',
    'sgd',
    'rmsprop',
  ],
  {
    // Upstream builds its own adam8 with decoupled decay.
    adam8: { becomes: 'adamw', why: 'fp32 state; upstream decouples its decay' },
    adamw8: { becomes: 'adamw', why: 'fp32 state' },
    prodigy8bit: { becomes: 'prodigy', why: 'fp32 state' },
    ...never('there is no such optimizer here', 'ademamix8bit', 'dadapt*', 'automagic*'),
  },
);

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

const timestepType = choice([
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
]);

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
  optimizer_params: key(mapping, {}),
  lr_scheduler: key(schedule, 'constant'),
  lr_scheduler_params: key(mapping, {}),
  max_grad_norm: key(real(0), 1),
  noise_scheduler: key(
    choice(['ddpm', 'flowmatch'], never('training uses ddpm or flowmatch', '*')),
    'ddpm',
  ),
  timestep_type: key(timestepType, 'sigmoid'),
  linear_timesteps: key(flag, false),
  linear_timesteps2: key(flag, false),
  next_sample_timesteps: key(whole(2), 8),
  content_or_style: key(choice(['balanced', 'content', 'style']), 'balanced'),
  min_denoising_steps: key(whole(), 0),
  max_denoising_steps: key(whole(), 999),
  num_train_timesteps: key(whole(2, 100_000), 1000),
  loss_type: key(
    choice(['mse', 'mae', 'pseudo_huber'], {
      ...never(
        'the loss is mse, mae or pseudo_huber',
        'wavelet',
        'stepped',
        'pixelspace',
        'mean_flow',
      ),
    }),
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

/** Prodigy finds its rate itself, as a factor of the one that is given: one of a usual size would hold it back. */
const FACTORS: Readonly<Record<string, number>> = { prodigy: 0.1 };

/** Rates of networks that are not said are the common one. */
export function trainSettings(
  values: Values<typeof trainRows>,
  at: string,
  found: Reading,
): TrainSettings {
  const { unetLr, textEncoderLr, gradientAccumulationSteps: every, ...rest } = values;
  const rate = (name: string, value: number): number => {
    if (value >= (FACTORS[rest.optimizer] ?? 0)) return value;
    found.substitutions.push(
      substitution(at + name, value, '1', `a factor of the rate that ${rest.optimizer} finds`),
    );
    return 1;
  };
  const lr = rate('lr', values.lr);
  if (every === 0) found.problems.push(`${at}gradient_accumulation_steps: expected 1, more or -1`);
  return {
    ...rest,
    lr,
    unetLr: unetLr === undefined ? lr : rate('unet_lr', unetLr),
    textEncoderLr: textEncoderLr === undefined ? lr : rate('text_encoder_lr', textEncoderLr),
    gradientAccumulationSteps: every === -1 ? 'epoch' : every,
  };
}

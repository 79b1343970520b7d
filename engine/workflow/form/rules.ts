/**
 * Which inputs a form asks for where nobody chose: tables over class and input names, the first row
 * that fits counts. Ranges are those of sliders only; what is allowed says the node itself.
 */
import type { Category, FieldRole, Range } from './form.ts';

export interface Rule {
  readonly category: Category;
  readonly role?: FieldRole;
}

interface Row extends Rule {
  readonly classes: RegExp;
  readonly input: RegExp;
}

const SAMPLERS = /^(KSampler|KSamplerAdvanced|SamplerCustom)$/;

const ROWS: readonly Row[] = [
  { classes: /TextEncode/, input: /^(text|text_[gl]|clip_[lg]|t5xxl|prompt)$/, category: 'prompt' },
  { classes: SAMPLERS, input: /^(noise_)?seed$/, category: 'sampler', role: 'seed' },
  { classes: /^RandomNoise$/, input: /^noise_seed$/, category: 'sampler', role: 'seed' },
  { classes: SAMPLERS, input: /^steps$/, category: 'sampler', role: 'steps' },
  { classes: SAMPLERS, input: /^cfg$/, category: 'sampler', role: 'cfg' },
  { classes: /^CFGGuider$/, input: /^cfg$/, category: 'sampler', role: 'cfg' },
  { classes: /^KSampler$/, input: /^denoise$/, category: 'sampler', role: 'denoise' },
  { classes: SAMPLERS, input: /^(sampler_name|scheduler)$/, category: 'sampler' },
  { classes: /^KSamplerSelect$/, input: /^sampler_name$/, category: 'sampler' },
  { classes: /Scheduler$/, input: /^steps$/, category: 'sampler', role: 'steps' },
  { classes: /^BasicScheduler$/, input: /^denoise$/, category: 'sampler', role: 'denoise' },
  { classes: /^BasicScheduler$/, input: /^scheduler$/, category: 'sampler' },
  { classes: /^Empty.*Latent/, input: /^width$/, category: 'size', role: 'width' },
  { classes: /^Empty.*Latent/, input: /^height$/, category: 'size', role: 'height' },
  { classes: /^Empty.*Latent/, input: /^batch_size$/, category: 'size', role: 'batch' },
  { classes: /^Empty.*Latent/, input: /^length$/, category: 'size', role: 'length' },
  { classes: /Lora/i, input: /^strength(_model|_clip)?$/, category: 'model' },
];

/** The rule for an input; undefined for the many that only some people want to change. */
export const ruleFor = (type: string, input: string): Rule | undefined =>
  ROWS.find((row) => row.classes.test(type) && row.input.test(input)) ??
  (modelFolder(type, input) === undefined ? undefined : { category: 'model' });

/** Folders of model files by the inputs that name a file there; `type` decides between two. */
const FOLDERS: Readonly<Record<string, string>> = {
  ckpt_name: 'checkpoints',
  vae_name: 'vae',
  lora_name: 'loras',
  unet_name: 'diffusion_models',
  clip_name: 'text_encoders',
  clip_name1: 'text_encoders',
  clip_name2: 'text_encoders',
  clip_name3: 'text_encoders',
  clip_name4: 'text_encoders',
  control_net_name: 'controlnet',
  style_model_name: 'style_models',
  gligen_name: 'gligen',
  hypernetwork_name: 'hypernetworks',
};

const FOLDERS_BY_CLASS: Readonly<Record<string, string>> = {
  'CLIPVisionLoader.clip_name': 'clip_vision',
  'UpscaleModelLoader.model_name': 'upscale_models',
  'PhotoMakerLoader.photomaker_model_name': 'photomaker',
  'LatentUpscaleModelLoader.model_name': 'latent_upscale_models',
  'AudioEncoderLoader.audio_encoder_name': 'audio_encoders',
  'ModelPatchLoader.name': 'model_patches',
};

/** The model folder that an input's files lie in; undefined for every other input. */
export function modelFolder(type: string, input: string): string | undefined {
  const own = `${type}.${input}`;
  if (Object.hasOwn(FOLDERS_BY_CLASS, own)) return FOLDERS_BY_CLASS[own];
  return Object.hasOwn(FOLDERS, input) ? FOLDERS[input] : undefined;
}

const SIZE: Range = { min: 64, max: 2048, step: 8 };

const ROLE_RANGES: Readonly<Partial<Record<FieldRole, Range>>> = {
  steps: { min: 1, max: 150, step: 1 },
  cfg: { min: 1, max: 30, step: 0.5 },
  denoise: { min: 0, max: 1, step: 0.01 },
  width: SIZE,
  height: SIZE,
  batch: { min: 1, max: 16, step: 1 },
};

/** What a slider offers for a field; undefined where the node's own limits are a good range. */
export function sliderRange(
  role: FieldRole | undefined,
  type: string,
  input: string,
): Range | undefined {
  if (role !== undefined) return ROLE_RANGES[role];
  if (/Lora/i.test(type) && input.startsWith('strength')) return { min: -2, max: 2, step: 0.05 };
  return /^strength/.test(input) ? { min: 0, max: 2, step: 0.05 } : undefined;
}

/** Labels by role. */
export const ROLE_LABELS: Readonly<Record<FieldRole, string>> = {
  positive: 'Prompt',
  negative: 'Negative prompt',
  seed: 'Seed',
  width: 'Width',
  height: 'Height',
  length: 'Length',
  batch: 'Pictures at once',
  steps: 'Steps',
  cfg: 'Guidance',
  denoise: 'Denoise',
};

/** An input's name for people. */
export { readableName as inputLabel } from '../readable-name.ts';

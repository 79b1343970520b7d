/** The usual settings of a job, for those who write no job file: each is a key of the file. */

import { optimizers } from '../optimizers/index.ts';

/** A kind of model that is trained, under the name that job files have for it. */
export interface TrainedFamily {
  readonly arch: string;
  readonly title: string;
  /** The noise that its models were trained on. */
  readonly noise: 'ddpm' | 'flowmatch';
  /** Pixels of a side that its models are at home with. */
  readonly resolution: number;
}

export const TRAINED_FAMILIES: readonly TrainedFamily[] = [
  { arch: 'sd1', title: 'Stable Diffusion 1.5', noise: 'ddpm', resolution: 512 },
  { arch: 'sd2', title: 'Stable Diffusion 2', noise: 'ddpm', resolution: 768 },
  { arch: 'sdxl', title: 'SDXL', noise: 'ddpm', resolution: 1024 },
  { arch: 'pixart', title: 'PixArt alpha', noise: 'ddpm', resolution: 1024 },
  { arch: 'pixart_sigma', title: 'PixArt sigma', noise: 'ddpm', resolution: 1024 },
  { arch: 'sd3', title: 'Stable Diffusion 3', noise: 'flowmatch', resolution: 1024 },
  { arch: 'flux', title: 'Flux', noise: 'flowmatch', resolution: 1024 },
  { arch: 'flux2', title: 'Flux 2', noise: 'flowmatch', resolution: 1024 },
  { arch: 'chroma', title: 'Chroma', noise: 'flowmatch', resolution: 1024 },
  { arch: 'lumina2', title: 'Lumina 2', noise: 'flowmatch', resolution: 1024 },
  { arch: 'auraflow', title: 'AuraFlow', noise: 'flowmatch', resolution: 1024 },
  { arch: 'hidream', title: 'HiDream', noise: 'flowmatch', resolution: 1024 },
  { arch: 'omnigen2', title: 'OmniGen 2', noise: 'flowmatch', resolution: 1024 },
  { arch: 'qwen_image', title: 'Qwen-Image', noise: 'flowmatch', resolution: 1024 },
  { arch: 'zimage', title: 'Z-Image', noise: 'flowmatch', resolution: 1024 },
];

export const NETWORKS = ['lora', 'lokr'] as const;

/** The usual one first. */
export const OPTIMIZERS: readonly string[] = [
  'adamw',
  ...Object.keys(optimizers).filter((name) => name !== 'adamw'),
];

/** But for `step`, which needs numbers of its own: those stand in a job file. */
export const SCHEDULES = [
  'constant',
  'constant_with_warmup',
  'cosine',
  'cosine_with_restarts',
  'linear',
  'polynomial',
] as const;

/** What is said of a job; `undefined` leaves a key out of the file, where it then is what it is without being said. */
export interface Settings {
  readonly checkpoint: string;
  readonly family: string;
  /** Folders below the input folder. */
  readonly datasets: readonly string[];
  readonly resolutions?: readonly number[];
  readonly caption_dropout?: number;
  readonly [setting: string]: unknown;
}

/** Where a setting stands in a process of a job file. */
const PROCESS_KEYS: Readonly<Record<string, string>> = {
  checkpoint: 'model.name_or_path',
  family: 'model.arch',
  trigger_word: 'trigger_word',
  seed: 'training_seed',
  network: 'network.type',
  rank: 'network.linear',
  alpha: 'network.linear_alpha',
  conv_rank: 'network.conv',
  steps: 'train.steps',
  learning_rate: 'train.lr',
  batch_size: 'train.batch_size',
  gradient_accumulation: 'train.gradient_accumulation',
  optimizer: 'train.optimizer',
  schedule: 'train.lr_scheduler',
  min_snr_gamma: 'train.min_snr_gamma',
  train_text_encoder: 'train.train_text_encoder',
  ema: 'train.ema_config.use_ema',
  save_every: 'save.save_every',
  saves_to_keep: 'save.max_step_saves_to_keep',
  sample_every: 'sample.sample_every',
  prompts: 'sample.prompts',
  negative_prompt: 'sample.neg',
  sample_width: 'sample.width',
  sample_height: 'sample.height',
  sample_steps: 'sample.sample_steps',
  guidance_scale: 'sample.guidance_scale',
  sample_seed: 'sample.seed',
};

/** The setting that the key of a job file is; undefined where it is none. */
export function settingOf(key: string): string | undefined {
  if (key.startsWith('datasets')) return key.endsWith('.resolution') ? 'resolutions' : 'datasets';
  return Object.entries(PROCESS_KEYS).find(([, path]) => path === key)?.[0];
}

/** The job file of some settings, as a tree; the folder that it is trained in is the server's affair. */
export function jobOfSettings(name: string, settings: Settings): object {
  const { family, datasets, resolutions = [], caption_dropout: dropout } = settings;
  const known = TRAINED_FAMILIES.find(({ arch }) => arch === family);
  const resolution = resolutions.length === 0 ? [known?.resolution ?? 512] : resolutions;
  const process: Tree = { type: 'sd_trainer' };
  for (const [setting, path] of Object.entries(PROCESS_KEYS)) put(process, path, settings[setting]);
  put(process, 'network.linear_alpha', settings.alpha ?? settings.rank);
  put(process, 'train.noise_scheduler', known?.noise);
  put(process, 'sample.sampler', known?.noise);
  process.datasets = datasets.map((folder) => ({
    folder_path: folder,
    resolution,
    ...(dropout === undefined ? {} : { caption_dropout_rate: dropout }),
    cache_latents_to_disk: true,
  }));
  return { job: 'extension', config: { name, process: [process] } };
}

interface Tree {
  [key: string]: unknown;
}

/** Puts a value where a path with dots says. */
function put(tree: Tree, path: string, value: unknown): void {
  if (value === undefined) return;
  const names = path.split('.');
  const last = names.pop()!;
  let at = tree;
  for (const name of names) at = (at[name] ??= {}) as Tree;
  at[last] = value;
}

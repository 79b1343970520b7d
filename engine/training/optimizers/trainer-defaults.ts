/** How the trainer of job files makes its optimisers, where that is not as their packages do. */
import type { Settings } from '../settings.ts';

export interface TrainerDefaults {
  /** Over the optimiser's own, under those of the job file. */
  readonly settings?: Settings;
  /** The learning rate that is taken for the one in the job file. */
  readonly rate?: (rate: number) => number;
  /** Whether gradients are clipped (`max_grad_norm`); they are when this is left out. */
  readonly clips?: boolean;
}

const eps = { settings: { eps: 1e-6 } };

/** By the optimiser's name; those that are not here are as they come. */
export const trainerDefaults: Readonly<Record<string, TrainerDefaults>> = {
  adam: eps,
  adamw: eps,
  adam8bit: eps,
  adamw8bit: eps,
  adafactor: {
    settings: { relative_step: false, scale_parameter: false, warmup_init: false },
    clips: false,
  },
  prodigy: { ...eps, rate: (rate) => (rate < 0.1 ? 1 : rate) },
};

/** Names of job files that another optimiser stands in for. */
export const substitutes: Readonly<Record<string, string>> = {
  adam8: 'adamw', // its package decouples the decay unless told otherwise
  adamw8: 'adamw',
  prodigy8bit: 'prodigy',
};

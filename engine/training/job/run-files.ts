/** How files in the folder of a run are called. */

/** What lies there beside saves. */
export const runFiles = {
  /** The job file after its replacements. */
  config: 'config.yaml',
  /** A line a step. */
  losses: 'losses.jsonl',
  /** The same for ai-toolkit's page, where the job asks for it. */
  lossLog: 'loss_log.db',
  /** How far the run is. */
  progress: 'progress.json',
  /** All that it takes to go on bit for bit. */
  optimizer: 'optimizer.safetensors',
  /** A folder. */
  samples: 'samples',
} as const;

export const SAVE_ENDING = '.safetensors';

/** A step as names have it. */
export const paddedStep = (step: number): string => String(step).padStart(9, '0');

/** What the adapter is saved as after `step` steps, or at the end of the run. */
export const saveName = (run: string, step?: number): string =>
  `${run}${step === undefined ? '' : `_${paddedStep(step)}`}${SAVE_ENDING}`;

/** `save` and `logging`: what is kept of a run. */
import { choice, flag, never, spelled, whole } from '../readers.ts';
import { type Rows, type Values, ignored, key, refused } from '../row.ts';

const HUB = 'nothing is uploaded';

export const saveRows = {
  save_every: key(whole(1), 1000),
  dtype: key(
    choice(['fp32', 'fp16', 'bf16'], {
      ...spelled('fp32', 'float32', 'float', 'single'),
      ...spelled('fp16', 'float16', 'half'),
      ...spelled('bf16', 'bfloat16'),
      ...never('adapters are saved in fp32, fp16 or bf16', '*float8*', 'fp8*'),
    }),
    'fp16',
  ),
  max_step_saves_to_keep: key(whole(), 5),
  // For whole models only; an adapter is a .safetensors file either way.
  save_format: key(choice(['safetensors', 'diffusers']), 'safetensors'),
  push_to_hub: refused(HUB),
  hf_repo_id: refused(HUB),
  hf_private: refused(HUB),
} satisfies Rows;

export const loggingRows = {
  log_every: { ...key(whole(1), 100), ofNull: 1 },
  verbose: key(flag, false),
  use_ui_logger: key(flag, false),
  use_wandb: ignored('losses lie in losses.jsonl'),
  project_name: ignored('it names a project of wandb', 'ai-toolkit'),
  run_name: ignored('it names a run of wandb'),
} satisfies Rows;

/** How an adapter is saved, and how often. */
export type SaveSettings = Omit<Values<typeof saveRows>, 'saveFormat'>;

/** What is said of a run. */
export type LoggingSettings = Values<typeof loggingRows>;

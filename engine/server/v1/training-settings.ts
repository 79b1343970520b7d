/** The settings of a training run as the public API takes them; `default` is what its page begins with. */
import { type Static, Type } from 'typebox';
import { NETWORKS, OPTIMIZERS, SCHEDULES, TRAINED_FAMILIES } from '../../training/runs/settings.ts';
import { text, words } from './schema-parts.ts';

const whole = (minimum: number, maximum: number, about: object) =>
  Type.Optional(Type.Integer({ minimum, maximum, ...about }));
const number = (minimum: number, maximum: number, about: object) =>
  Type.Optional(Type.Number({ minimum, maximum, ...about }));
const line = (about: object) => Type.Optional(Type.String({ maxLength: 10_000, ...about }));

export const RunSettings = Type.Object(
  {
    checkpoint: text('A file of the checkpoints or diffusion_models folder.', { minLength: 1 }),
    family: words(
      TRAINED_FAMILIES.map(({ arch }) => arch),
      { description: 'What kind of model it is.', default: 'sd1' },
    ),
    datasets: Type.Array(text('A data set.', { minLength: 1 }), {
      description: 'Folders below the input folder.',
      minItems: 1,
      maxItems: 50,
    }),
    trigger_word: line({ description: 'Stands in every caption.', maxLength: 200 }),
    network: Type.Optional(words(NETWORKS, { description: 'The adapter.', default: 'lora' })),
    rank: whole(1, 1024, { description: 'Rank of the adapter.', default: 16 }),
    alpha: number(0, 4096, { description: 'The adapter counts alpha / rank; left out: 1.' }),
    conv_rank: whole(1, 1024, { description: 'Rank for convolutions; left out: not trained.' }),
    steps: whole(1, 10_000_000, { description: 'Steps of training.', default: 1000 }),
    learning_rate: number(0, 100, { description: 'Learning rate.', default: 0.0001 }),
    batch_size: whole(1, 1024, { description: 'Pictures at once.', default: 1 }),
    gradient_accumulation: whole(1, 1024, { description: 'Batches to a step.', default: 1 }),
    optimizer: Type.Optional(words(OPTIMIZERS, { description: 'Optimiser.', default: 'adamw' })),
    schedule: Type.Optional(
      words(SCHEDULES, { description: 'Schedule of the rate.', default: 'constant' }),
    ),
    resolutions: Type.Optional(
      Type.Array(Type.Integer({ minimum: 64, maximum: 4096 }), {
        description: "Pixels of a side, by area; left out: the family's own.",
        maxItems: 10,
      }),
    ),
    caption_dropout: number(0, 1, { description: 'Part of captions left out.', default: 0.05 }),
    train_text_encoder: Type.Optional(Type.Boolean({ default: false })),
    min_snr_gamma: number(0, 1000, { description: 'Weights steps by their noise.' }),
    ema: Type.Optional(Type.Boolean({ description: 'Save the average.', default: false })),
    seed: whole(0, 2 ** 32 - 1, { description: 'Makes a run repeatable.' }),
    save_every: whole(1, 10_000_000, { description: 'Steps between saves.', default: 250 }),
    saves_to_keep: whole(0, 10_000, { description: '0: all.', default: 4 }),
    sample_every: whole(1, 10_000_000, { description: 'Steps between samples.', default: 250 }),
    prompts: Type.Optional(
      Type.Array(Type.String({ maxLength: 10_000 }), { description: 'Samples.', maxItems: 100 }),
    ),
    negative_prompt: line({ description: 'What samples should not show.' }),
    sample_width: whole(64, 8192, { description: 'Pixels.' }),
    sample_height: whole(64, 8192, { description: 'Pixels.' }),
    sample_steps: whole(1, 1000, { description: 'Steps of a sample.', default: 20 }),
    guidance_scale: number(0, 100, { description: 'Guidance of samples.', default: 7 }),
    sample_seed: whole(0, 2 ** 32 - 1, { description: 'Seed of samples.', default: 42 }),
  },
  {
    title: 'TrainingSettings',
    description: 'The usual settings of a job.',
    additionalProperties: false,
  },
);
export type RunSettings = Static<typeof RunSettings>;

/** What settings are without being said. */
export const DEFAULT_SETTINGS: Readonly<Record<string, unknown>> = Object.fromEntries(
  Object.entries(RunSettings.properties as Record<string, { default?: unknown }>)
    .filter(([, schema]) => schema.default !== undefined)
    .map(([name, schema]) => [name, schema.default]),
);

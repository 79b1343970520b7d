/** Shapes of the routes about training runs. */
import { type Static, Type } from 'typebox';
import { PROGRESS_STATES } from '../../training/runs/progress.ts';
import { ProblemPart } from './schemas.ts';
import { count, nullable, text, time, words } from './schema-parts.ts';
import { RunSettings } from './training-settings.ts';

export const RUN_STATES = [
  'new',
  'waiting',
  ...PROGRESS_STATES,
  'pausing',
  'stopping',
  'interrupted',
] as const;
export type RunState = (typeof RUN_STATES)[number];

const runName = text('Name of the run: its folder and its files are called so.', {
  minLength: 1,
  maxLength: 100,
  examples: ['my-cat'],
});

const runMembers = {
  name: runName,
  state: words(RUN_STATES, {
    description:
      'new: never started; waiting, running: a job of the queue; pausing, stopping: its job ends its step; ' +
      'interrupted: its process died; the others are what the run said at its end.',
  }),
  step: count('Steps that are done.'),
  steps: nullable(count('Steps that the job asks for; null before it was started.')),
  error: nullable(text('Why it failed.')),
  created_at: time('When its job was written.'),
  updated_at: nullable(time('When it last said how far it is.')),
  loss: nullable(Type.Number({ description: 'Of the last step.' })),
  rate: nullable(Type.Number({ description: 'Learning rate of the last step.' })),
  seconds_per_step: nullable(Type.Number({ description: 'By the last steps.' })),
  seconds_left: nullable(Type.Number({ description: 'Until it is done, at that pace.' })),
  job_id: nullable(text('The job that it waits or runs as.')),
  picture: nullable(text('Where a small picture of its newest sample can be fetched.')),
  urls: Type.Object({ self: text('This run.'), page: text('Its page for people.') }),
};

export const Run = Type.Object(runMembers, {
  title: 'TrainingRun',
  description: 'A training run.',
});
export type Run = Static<typeof Run>;

export const RunDetail = Type.Object(
  {
    ...runMembers,
    prompts: Type.Array(Type.String(), { description: 'What its samples show, by index.' }),
    substitutions: Type.Array(Type.String(), {
      description: 'Settings for which something near them is used here.',
    }),
    warnings: Type.Array(Type.String(), { description: 'Keys that mean nothing here.' }),
  },
  { title: 'TrainingRunDetail', description: 'A training run with what its job says.' },
);
export type RunDetail = Static<typeof RunDetail>;

export const RunList = Type.Object(
  { runs: Type.Array(Run, { description: 'The newest first.' }) },
  { title: 'TrainingRuns' },
);

const yaml = text('A job of ai-toolkit (`sd_trainer`), as YAML or JSON.', { maxLength: 1_000_000 });

export const JobSource = Type.Object(
  {
    name: Type.Optional(runName),
    settings: Type.Optional(RunSettings),
    yaml: Type.Optional(yaml),
  },
  {
    title: 'TrainingJobSource',
    description: 'A job: either usual settings, or a job file.',
    additionalProperties: false,
  },
);

export const NewRun = Type.Object(
  {
    ...JobSource.properties,
    start: Type.Optional(Type.Boolean({ default: false, description: 'Start it at once.' })),
  },
  { title: 'NewTrainingRun', additionalProperties: false },
);

export const JobCheck = Type.Object(
  {
    valid: Type.Boolean({ description: 'It could be trained.' }),
    name: nullable(text('Name that the run would have.')),
    errors: Type.Array(ProblemPart, { description: 'Why not.' }),
    warnings: RunDetail.properties.warnings,
    substitutions: RunDetail.properties.substitutions,
    yaml: text('The job as a job file.'),
  },
  { title: 'TrainingJobCheck' },
);

export const ConfigChange = Type.Object(
  { yaml },
  { title: 'TrainingConfigChange', additionalProperties: false },
);

export const Losses = Type.Object(
  {
    losses: Type.Array(
      Type.Object({
        step: count('The step.'),
        loss: nullable(Type.Number({ description: 'Null where it was no finite number.' })),
        rate: nullable(Type.Number({ description: 'The learning rate.' })),
        seconds: nullable(Type.Number({ description: 'What the step took.' })),
      }),
      { description: 'Oldest first.' },
    ),
    last: nullable(
      count('The last step there is: lower than one that was told, that one is undone.'),
    ),
  },
  { title: 'TrainingLosses' },
);

export const Samples = Type.Object(
  {
    samples: Type.Array(
      Type.Object({
        filename: text('Name of the file.'),
        step: count('Steps that were done before.'),
        index: count('Which of the prompts.'),
        made_at: time('When it was made.'),
        url: text('Where the picture can be fetched.'),
        thumbnail_url: text('Where a small one can be fetched.'),
      }),
      { description: 'By step and prompt.' },
    ),
  },
  { title: 'TrainingSamples' },
);

export const Saves = Type.Object(
  {
    saves: Type.Array(
      Type.Object({
        filename: text('Name of the file.'),
        step: nullable(count('Null for what was saved at the end.')),
        bytes: count('How large it is.'),
        modified_at: time('When it was written.'),
        url: text('Where the file can be fetched.'),
      }),
      { description: 'The newest first.' },
    ),
  },
  { title: 'TrainingSaves' },
);

export const RunGone = Type.Object({ name: runName }, { title: 'DeletedTrainingRun' });

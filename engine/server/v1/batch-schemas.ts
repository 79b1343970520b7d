/** The shapes of batches in the public API; see schemas.ts. */
import { Type } from 'typebox';
import { JOB_STATUSES } from '../../queue/store.ts';
import { MOST_RUNS } from '../../workflow/form/read-value.ts';
import { count, free, nullable, text, words } from './schema-parts.ts';
import { Job, JobStatus } from './schemas.ts';

/** Characters of a table. */
const LONGEST_CSV = 1_000_000;

const anything = (description: string) => Type.Unsafe<unknown>({ description });

export const BatchRequest = Type.Object(
  {
    workflow_id: text('Id of the saved workflow.', { minLength: 1, maxLength: 600 }),
    title: Type.Optional(text('What to call it.', { maxLength: 200 })),
    values: Type.Optional(
      free('Values by the name or key of fields, for all runs; others keep their default.'),
    ),
    vary: Type.Optional(
      Type.Array(
        Type.Object(
          {
            field: text('Name or key of a field.'),
            values: Type.Array(anything('A value.'), {
              minItems: 1,
              maxItems: MOST_RUNS,
              description: 'What it is to be in turn.',
            }),
          },
          { additionalProperties: false },
        ),
        {
          minItems: 1,
          maxItems: 8,
          description:
            'A run for every value of each with every value of the others; the last changes quickest.',
        },
      ),
    ),
    csv: Type.Optional(
      text('A table with a run in each line; its first line names fields. Not beside `vary`.', {
        maxLength: LONGEST_CSV,
      }),
    ),
    count: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MOST_RUNS, description: 'How often each of them.' }),
    ),
    seed_mode: Type.Optional(
      words(['fixed', 'random', 'increment'] as const, {
        description:
          'Seeds that a run does not give itself: the same for all, drawn where `values` does not ' +
          'give them, or one more with every run. `increment` where `count` is given, else `fixed`.',
      }),
    ),
    client_id: Type.Optional(text('Client whose websocket hears of the jobs.', { maxLength: 256 })),
  },
  { title: 'BatchRequest', additionalProperties: false },
);

const summary = {
  id: text('Id of the batch.'),
  workflow_id: text('Id of the saved workflow.'),
  title: text('What it is called; may be empty.'),
  created_at: text('When it was made.', { format: 'date-time' }),
  total: count('Runs it has.'),
  counts: Type.Object(
    Object.fromEntries(JOB_STATUSES.map((status) => [status, count('Runs in this state.')])),
    { description: 'Runs by their state.' },
  ),
  urls: Type.Object(
    { self: text('The batch.'), page: text('The page of its form.') },
    { description: 'Addresses that belong to it.' },
  ),
};

export const BatchSummary = Type.Object(summary, { title: 'BatchSummary' });

export const BatchList = Type.Object(
  { batches: Type.Array(BatchSummary), total: count('Batches there are.') },
  { title: 'BatchList' },
);

export const Batch = Type.Object(
  {
    ...summary,
    values: free('What its fields were where a run says nothing else, by key.'),
    vary: Type.Array(
      Type.Object({ field: text('Key of the field.'), values: Type.Array(anything('A value.')) }),
      { description: 'The lists that it was made of.' },
    ),
    runs: Type.Array(
      Type.Object({
        job_id: text('Id of its job.'),
        status: JobStatus,
        values: free('What this run had of its own, by key.'),
        job: nullable(Job),
      }),
      { description: 'In their order; `job` is null where queue and history know it no more.' },
    ),
  },
  { title: 'Batch', description: 'Runs of one form that were asked for together.' },
);

export const BatchRetry = Type.Object(
  {
    status: Type.Optional(
      Type.Array(words(['failed', 'cancelled'] as const, 'A state.'), {
        minItems: 1,
        description: 'Which runs; left out: those that failed.',
      }),
    ),
    client_id: BatchRequest.properties.client_id,
  },
  { title: 'BatchRetry', additionalProperties: false },
);

/** Batches: runs of one form that are made together and are ordinary jobs from then on. */
import { setImmediate } from 'node:timers/promises';
import { NoodleError } from '../../errors.ts';
import type { Batch, BatchRun, BatchRunNow } from '../../queue/batch-rows.ts';
import { type Axis, planBatch } from '../../workflow/form/batch.ts';
import { checkValues, fillForm } from '../../workflow/form/set-values.ts';
import { type Json, parseJson, stringifyJson } from '../../workflow/lossless-json.ts';
import type { Api } from './api.ts';
import { formSubmission, randomSeed, refuseValues } from './form-runs.ts';
import { jobJson, withBase } from './job-json.ts';
import { ProblemError } from './problem.ts';
import type { Call } from './route.ts';
import { type Body, escapePointer, nodeErrors } from './run-workflow.ts';
import type { OpenWorkflow } from './saved-workflows.ts';
import type { ProblemPart } from './schemas.ts';

type Members = { readonly [key: string]: Json };
type Caller = Pick<Call<unknown, unknown, unknown>, 'owner'>;

/** What is kept of a request. */
interface About {
  /** What was given for all runs, by key. */
  readonly given: Members;
  /** The same with the defaults of all other fields. */
  readonly values: Members;
  readonly vary: readonly Axis[];
}

/** Makes a batch and submits its jobs, all of them or none. Throws a problem that says what is wrong. */
export async function makeBatch(
  opened: OpenWorkflow,
  raw: Body,
  { owner }: Caller,
  api: Api,
): Promise<Batch> {
  const { form, entry } = opened;
  const plan = planBatch(form, raw, randomSeed);
  refusePlan(plan.problems.map(({ at, detail }) => ({ pointer: pointerTo(at), detail })));
  const runs = plan.runs.map((given, place) => ({
    place,
    jobId: api.newId(),
    given: stringifyJson(given),
  }));
  await checkRuns(opened, plan.values, runs, api);
  const defaults = form.fields.map(({ key, default: value }) => [key, value] as const);
  const values = { ...Object.fromEntries(defaults), ...plan.values };
  const batch: Batch = {
    id: api.newId(),
    createdAt: api.now(),
    workflow: entry.id,
    title: typeof raw.title === 'string' ? raw.title : '',
    owner,
    about: stringifyJson({ given: plan.values, values, vary: plan.vary }),
  };
  api.batches.add(batch, runs);
  try {
    await submitRuns(opened, plan.values, runs, { owner, clientId: raw.client_id }, api);
  } catch (error) {
    api.batches.remove(batch.id);
    throw error;
  }
  return batch;
}

/**
 * Runs again what came to one of these ends, with the workflow as it is now. Throws a problem where
 * nothing did, or where the form does not have a field any more.
 */
export async function retryBatch(
  opened: OpenWorkflow,
  batch: Batch,
  statuses: readonly string[],
  sender: Caller & { readonly clientId: Json | undefined },
  api: Api,
): Promise<void> {
  const again = api.batches
    .runs(batch.id)
    .filter(({ status }) => statuses.includes(status))
    .map((run) => ({ ...run, jobId: api.newId() }));
  if (again.length === 0) {
    const detail = `No run of the batch is ${statuses.join(' or ')}.`;
    throw new ProblemError({ status: 409, code: 'nothing_to_run', detail });
  }
  const { given } = aboutOf(batch);
  for (const run of again) {
    refuseValues(checkValues(opened.form, { ...given, ...givenTo(run) }).problems, '/values');
  }
  await checkRuns(opened, given, again, api);
  api.batches.replace(batch.id, again);
  await submitRuns(opened, given, again, sender, api);
}

/** Drops what waits and stops what runs; true when something runs still. */
export function cancelBatch(batch: Batch, { batches, queue, dispatcher }: Api): boolean {
  const open = batches.runs(batch.id).map(({ jobId }) => jobId);
  queue.deleteAllPending(open);
  return open.filter((id) => dispatcher.interrupt(id)).length > 0;
}

/** The batch of this id that belongs to whoever asks. */
export function findBatch(id: string, { owner }: Caller, { batches }: Api): Batch {
  const batch = batches.get(id);
  if (batch === undefined || batch.owner !== owner) throw new NoodleError('BATCH_UNKNOWN', { id });
  return batch;
}

/** A batch as lists show it. */
export function batchSummary(batch: Batch, base: string, { batches }: Api) {
  const { id, workflow, title, createdAt } = batch;
  const counts = batches.counts(id);
  return {
    id,
    workflow_id: workflow,
    title,
    created_at: new Date(createdAt).toISOString(),
    total: Object.values(counts).reduce((sum, count) => sum + count, 0),
    counts,
    urls: {
      self: `${base}/v1/batches/${encodeURIComponent(id)}`,
      page: `${base}/ui/run/${encodeURIComponent(workflow)}`,
    },
  };
}

/** A batch with its runs. */
export function batchJson(batch: Batch, base: string, api: Api) {
  const { values, vary } = aboutOf(batch);
  const runs = api.batches.runs(batch.id).map((run) => {
    const { jobId: id, status, job } = run;
    const progress = api.events.progress(id);
    return {
      job_id: id,
      status,
      values: givenTo(run),
      job: job === undefined ? null : withBase(jobJson(job, { progress }), base),
    };
  });
  return { ...batchSummary(batch, base, api), values, vary, runs };
}

const aboutOf = ({ about }: Batch): About => parseJson(about) as unknown as About;
const givenTo = ({ given }: Pick<BatchRunNow, 'given'>): Members => parseJson(given) as Members;
const pointerTo = (at: readonly string[]): string =>
  at.map((part) => `/${escapePointer(part)}`).join('');

function refusePlan(errors: readonly ProblemPart[]): void {
  if (errors.length === 0) return;
  const [{ pointer = '', detail: first }] = errors;
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
  const detail = `The batch cannot be made: ${pointer.slice(1)} ${first}${more}.`;
  throw new ProblemError({ status: 400, code: 'validation_failed', detail, errors });
}

/** The body of a POST /prompt for one run. */
function bodyOf(opened: OpenWorkflow, shared: Members, run: BatchRun, clientId?: Json): Json {
  const { file, form, info } = opened;
  const values = new Map(Object.entries({ ...shared, ...givenTo(run) }));
  const filled = fillForm(file, form, values, info);
  return formSubmission(opened, filled, { id: run.jobId, client_id: clientId });
}

/** Errors that are told of a batch; more say nothing new. */
const MOST_ERRORS = 50;

/** Throws unless every run would be taken: half a batch is of use to nobody. */
async function checkRuns(
  opened: OpenWorkflow,
  shared: Members,
  runs: readonly BatchRun[],
  api: Api,
): Promise<void> {
  const errors: ProblemPart[] = [];
  let code: string | undefined;
  for (const run of runs) {
    const refusal = await api.refusalOf(bodyOf(opened, shared, run));
    // Others are served between two runs.
    await setImmediate();
    if (refusal === undefined) continue;
    code ??= refusal.error.type;
    const parts = nodeErrors(refusal.nodeErrors, undefined);
    const all = parts.length > 0 ? parts : [{ detail: refusal.error.message }];
    errors.push(
      ...all.map((part) => ({ ...part, detail: `run ${run.place + 1}: ${part.detail}` })),
    );
    if (errors.length >= MOST_ERRORS) break;
  }
  if (code === undefined) return;
  const detail = `The batch cannot be made: ${errors[0].detail}`;
  throw new ProblemError({ status: 400, code, detail, errors: errors.slice(0, MOST_ERRORS) });
}

/** Submits all runs; those that were submitted are dropped again when one is refused after all. */
async function submitRuns(
  opened: OpenWorkflow,
  shared: Members,
  runs: readonly BatchRun[],
  { owner, clientId }: Caller & { readonly clientId: Json | undefined },
  { submit, queue, dispatcher }: Api,
): Promise<void> {
  const submitted: string[] = [];
  try {
    for (const run of runs) {
      const answer = await submit(bodyOf(opened, shared, run, clientId), { owner });
      if (!answer.ok) {
        const { type: code, message } = answer.error;
        const detail = `run ${run.place + 1}: ${message}`;
        throw new ProblemError({ status: answer.status, code, detail });
      }
      submitted.push(answer.promptId);
      await setImmediate();
    }
  } catch (error) {
    queue.deleteAllPending(submitted);
    for (const id of submitted) dispatcher.interrupt(id);
    throw error;
  }
}

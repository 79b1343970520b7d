/** POST /v1/workflows/run: a workflow in any form becomes a job. */
import { Type } from 'typebox';
import { NoodleError } from '../../../errors.ts';
import { objectInfo } from '../../../graph/object-info.ts';
import type { NodeErrors } from '../../../graph/validate.ts';
import { isFinished } from '../../../queue/store.ts';
import { formsOf } from '../../../workflow/forms.ts';
import { type Json, parseJson } from '../../../workflow/lossless-json.ts';
import { setInput } from '../../../workflow/set-input.ts';
import { workflowToPrompt } from '../../../workflow/to-prompt.ts';
import type { ApiPrompt, ObjectInfo } from '../../../workflow/types.ts';
import { isObject } from '../../job-view.ts';
import type { SubmitAnswer } from '../../submit.ts';
import type { Api } from '../api.ts';
import { findJob, withBase } from '../job-json.ts';
import { ProblemError } from '../problem.ts';
import { type Answer, type Call, route } from '../route.ts';
import { type ProblemPart, RunRequest, RunResult } from '../schemas.ts';
import { checkWebhookUrl } from '../../webhooks/webhook-request.ts';

type Body = { readonly [key: string]: Json | undefined };

export const workflowRoutes = [
  route({
    method: 'post',
    path: '/v1/workflows/run',
    id: 'runWorkflow',
    tag: 'Workflows',
    summary: 'Run a workflow',
    description:
      'Takes what the editor saves, or a prompt in the API format, changes single inputs and puts ' +
      'it into the queue. With `wait` the answer comes when the job has finished (200), at the ' +
      'latest after that many seconds (202).',
    body: RunRequest,
    bodyExample: {
      workflow: {
        1: {
          class_type: 'EmptyImage',
          inputs: { width: 64, height: 64, batch_size: 1, color: 255 },
        },
        2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'colour' } },
      },
      inputs: { '1.color': 16711680 },
      wait: 30,
    },
    responses: {
      200: { description: 'The job has finished, one way or another.', schema: RunResult },
      202: { description: 'The job waits or runs.', schema: RunResult },
      409: { description: 'A job of this id waits or runs.' },
      503: { description: 'Too many webhooks wait.' },
    },
    run: async (call, api) => {
      const { body, raw } = call;
      if (body.webhook !== undefined) {
        checkWebhookUrl(body.webhook.url, api.config.allowPrivateWebhooks);
        api.webhooks.checkRoom();
      }
      const { prompt, workflow, warnings, at } = await readPrompt(raw, api);
      for (const [target, value] of Object.entries(objectOf(raw.inputs))) {
        setInput(prompt, target, value, `inputs "${target}"`);
      }
      const answer = await api.submit(submission(raw, prompt, workflow), { owner: call.owner });
      return answerRun(answer, call, api, { warnings, at });
    },
  }),
  route({
    method: 'post',
    path: '/v1/jobs/{id}/retry',
    id: 'retryJob',
    tag: 'Jobs',
    summary: 'Run a finished job again',
    description: 'Its prompt and the outputs that were asked for become a new job.',
    params: Type.Object({ id: Type.String({ description: 'Id of the finished job.' }) }),
    responses: {
      202: { description: 'The new job.', schema: RunResult },
      404: { description: 'There is no such job.' },
      409: { description: 'The job has not finished.' },
    },
    run: async (call, api) => {
      const { id } = call.params;
      const job = api.queue.job(id);
      if (job === undefined) throw new NoodleError('JOB_UNKNOWN', { id });
      if (!isFinished(job)) throw new NoodleError('JOB_ACTIVE', { id });
      const again = {
        prompt: parseJson(job.prompt),
        extra_data: parseJson(job.extraData),
        partial_execution_targets: [...job.outputs],
      };
      const answer = await api.submit(again, { owner: call.owner });
      return answerRun(answer, { ...call, body: {} }, api, { warnings: [], at: undefined });
    },
  }),
];

interface ReadPrompt {
  readonly prompt: ApiPrompt;
  /** The editor's form, to be saved with the results. */
  readonly workflow?: Json;
  readonly warnings: readonly string[];
  /** Where in the body the prompt stands; absent when it was made from an editor workflow. */
  readonly at?: string;
}

/** Reads what is to be run from `prompt`, else from `workflow`; both take every form that files have. */
async function readPrompt(body: Body, api: Api): Promise<ReadPrompt> {
  const at = body.prompt === undefined ? '/workflow' : '/prompt';
  const given = body.prompt ?? body.workflow ?? null;
  const { prompt, workflow } = formsOf(given);
  if (prompt !== undefined) {
    // A node without any inputs may leave them out.
    for (const node of Object.values(prompt)) node.inputs ??= {};
    const saved = body.prompt === undefined ? workflow : (body.workflow ?? workflow);
    const place = prompt === (given as unknown) ? at : `${at}/prompt`;
    return { prompt, workflow: saved, warnings: [], at: place };
  }
  if (body.prompt !== undefined) throw notThere(at, 'a prompt in the API format');
  if (workflow === undefined) throw notThere(at, 'an editor workflow or an API prompt');
  const info = objectInfo(await api.nodes(), api.folders) as ObjectInfo;
  try {
    return { ...workflowToPrompt(workflow, info), workflow };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw notThere(at, `an editor workflow (${error.message})`);
  }
}

const notThere = (pointer: string, expected: string): ProblemError =>
  new ProblemError({
    status: 400,
    code: 'validation_failed',
    detail: `${pointer.slice(1)} is no workflow.`,
    errors: [{ pointer, detail: `expected ${expected}` }],
  });

/** The body of a POST /prompt with the same meaning. */
function submission(raw: Body, prompt: ApiPrompt, workflow: Json | undefined): Json {
  const given = objectOf(raw.extra_data);
  const info = objectOf(given.extra_pnginfo);
  const extraData =
    workflow === undefined ? given : { ...given, extra_pnginfo: { workflow, ...info } };
  const members: Record<string, Json | undefined> = {
    prompt: prompt as unknown as Json,
    prompt_id: raw.id,
    client_id: raw.client_id,
    number: raw.number,
    front: raw.front,
    partial_execution_targets: raw.outputs,
    extra_data: extraData,
  };
  return Object.fromEntries(
    Object.entries(members).filter((member): member is [string, Json] => member[1] !== undefined),
  );
}

const objectOf = (value: Json | undefined): { [key: string]: Json } =>
  value !== undefined && isObject(value) ? value : {};

type RunCall = Pick<Call<unknown, unknown, RunBody>, 'body' | 'base' | 'signal'>;
type RunBody = {
  readonly webhook?: { readonly url: string; readonly secret?: string };
  readonly wait?: number;
};

async function answerRun(
  answer: SubmitAnswer,
  { body, base, signal }: RunCall,
  { queue, events, webhooks }: Api,
  { warnings, at }: Pick<ReadPrompt, 'warnings' | 'at'>,
): Promise<Answer> {
  const errors = nodeErrors(answer.nodeErrors, at);
  if (!answer.ok) {
    const { type: code, message, details } = answer.error;
    const detail = details === '' ? message : `${message}: ${details}`;
    throw new ProblemError({ status: answer.status, code, detail, errors });
  }
  const { promptId: id } = answer;
  const { position: _, ...submitted } = findJob(queue, events, id)!;
  if (body.webhook !== undefined) webhooks.add({ jobId: id, base, ...body.webhook });
  if (body.wait !== undefined && body.wait > 0) {
    await events.left(id, AbortSignal.any([signal, AbortSignal.timeout(body.wait * 1000)]));
  }
  // Whoever else uses the server may have dropped it while we waited.
  const job = findJob(queue, events, id) ?? { ...submitted, status: 'cancelled' as const };
  const status = queue.has(id) ? 202 : 200;
  return {
    status,
    headers: status === 202 ? { Location: job.urls.self } : {},
    body: { ...withBase(job, base), warnings, rejected_outputs: errors },
  };
}

/** What is wrong with nodes, one by one. */
function nodeErrors(
  errors: Readonly<Record<string, NodeErrors>>,
  at: string | undefined,
): ProblemPart[] {
  return Object.entries(errors).flatMap(([nodeId, { class_type: type, errors: list }]) =>
    list.map(({ message, details, extra_info: info }) => {
      const input = (info as { input_name?: unknown }).input_name;
      const pointer = at === undefined ? undefined : `${at}/${escapePointer(nodeId)}`;
      return {
        ...(pointer === undefined
          ? {}
          : typeof input === 'string'
            ? { pointer: `${pointer}/inputs/${escapePointer(input)}` }
            : { pointer }),
        node_id: nodeId,
        ...(typeof input === 'string' ? { input } : {}),
        detail: `${type}: ${message}${details === '' ? '' : ` (${details})`}`,
      };
    }),
  );
}

const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

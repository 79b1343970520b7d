/** What routes share that make jobs of workflows: reading one in any form, submitting, answering. */
import { objectInfo } from '../../graph/object-info.ts';
import type { NodeErrors } from '../../graph/validate.ts';
import { formsOf } from '../../workflow/forms.ts';
import type { Json } from '../../workflow/lossless-json.ts';
import { asArray, isRecord } from '../../workflow/records.ts';
import { workflowToPrompt } from '../../workflow/to-prompt.ts';
import type { ApiPrompt, ObjectInfo } from '../../workflow/types.ts';
import { isObject } from '../job-view.ts';
import type { SubmitAnswer } from '../submit.ts';
import type { Api } from './api.ts';
import { findJob, withBase } from './job-json.ts';
import { ProblemError } from './problem.ts';
import type { Answer, Call } from './route.ts';
import type { ProblemPart } from './schemas.ts';
import { checkWebhookUrl } from '../webhooks/webhook-request.ts';

export type Body = { readonly [key: string]: Json | undefined };

export interface ReadPrompt {
  readonly prompt: ApiPrompt;
  /** The editor's form, to be saved with the results. */
  readonly workflow?: Json;
  readonly warnings: readonly string[];
  /** Where in the body the prompt stands; absent when it was made from an editor workflow. */
  readonly at?: string;
}

/** Reads what is to be run from `prompt`, else from `workflow`; both take every form that files have. */
export async function readPrompt(body: Body, api: Api): Promise<ReadPrompt> {
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
  try {
    return { ...workflowToPrompt(workflow, await infoFor(workflow, api)), workflow };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw notThere(at, `an editor workflow (${error.message})`);
  }
}

/** A problem with a member of the body that should hold a workflow. */
export const notThere = (pointer: string, expected: string): ProblemError =>
  new ProblemError({
    status: 400,
    code: 'validation_failed',
    detail: `${pointer.slice(1)} is no workflow.`,
    errors: [{ pointer, detail: `expected ${expected}` }],
  });

/** What is known of the classes that a workflow names; describing all of them takes its time. */
export async function infoFor(workflow: Json, api: Api): Promise<ObjectInfo> {
  const nodes = await api.nodes();
  const named = [...classesIn(workflow)].filter((name) => nodes.has(name));
  const wanted = new Map(named.map((name) => [name, nodes.get(name)!]));
  return objectInfo(wanted, api.folders);
}

/** Class names of an editor workflow (definitions and group nodes included) or of a prompt. */
export function classesIn(workflow: unknown, found = new Set<string>(), depth = 0): Set<string> {
  if (!isRecord(workflow) || depth > 50) return found;
  for (const node of asArray(workflow.nodes)) {
    if (isRecord(node) && typeof node.type === 'string') found.add(node.type);
  }
  const { definitions, extra } = workflow;
  for (const item of asArray(isRecord(definitions) ? definitions.subgraphs : undefined)) {
    classesIn(item, found, depth + 1);
  }
  const groups = isRecord(extra) && isRecord(extra.groupNodes) ? extra.groupNodes : {};
  for (const item of Object.values(groups)) classesIn(item, found, depth + 1);
  for (const node of Object.values(workflow)) {
    if (isRecord(node) && typeof node.class_type === 'string') found.add(node.class_type);
  }
  return found;
}

/** The body of a POST /prompt with the same meaning. */
export function submission(raw: Body, prompt: ApiPrompt, workflow: Json | undefined): Json {
  const given = objectIn(raw.extra_data);
  const info = objectIn(given.extra_pnginfo);
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

/** The value when it is an object, else an empty one. */
export const objectIn = (value: Json | undefined): { [key: string]: Json } =>
  value !== undefined && isObject(value) ? value : {};

type RunCall = Pick<Call<unknown, unknown, RunBody>, 'body' | 'base' | 'signal'>;
export type RunBody = {
  readonly webhook?: { readonly url: string; readonly secret?: string };
  readonly wait?: number;
};

/** Throws where the webhook that is asked for could not be promised. */
export function checkWebhook({ webhook }: RunBody, { config, webhooks }: Api): void {
  if (webhook === undefined) return;
  checkWebhookUrl(webhook.url, config.allowPrivateWebhooks);
  webhooks.checkRoom();
}

/** The job that was made, after as much waiting as was asked for; `extra` are more members of the body. */
export async function answerRun(
  answer: SubmitAnswer,
  { body, base, signal }: RunCall,
  { queue, events, webhooks }: Api,
  { warnings, at }: Pick<ReadPrompt, 'warnings' | 'at'>,
  extra: object = {},
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
    body: { ...withBase(job, base), ...extra, warnings, rejected_outputs: errors },
  };
}

/** What is wrong with nodes, one by one. */
export function nodeErrors(
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

/** A name as a part of a JSON Pointer (RFC 6901). */
export const escapePointer = (name: string): string =>
  name.replaceAll('~', '~0').replaceAll('/', '~1');

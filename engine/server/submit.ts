/**
 * A prompt from outside becomes a job, or an answer that says why not. Every face of the server
 * (POST /prompt and others) comes through here.
 */
import { NoodleError } from '../errors.ts';
import { toFloat, truthy } from '../python/coerce.ts';
import type { ChoiceSource, NodeRegistry, Prompt } from '../graph/definition.ts';
import { replaceOldNodes } from '../graph/replacements.ts';
import { type NodeErrors, type PromptError, validatePrompt } from '../graph/validate.ts';
import type { Queue, Secrets } from '../queue/queue.ts';
import { entriesOf, Float, type Json, objectOf, stringifyJson } from '../workflow/lossless-json.ts';

export interface SubmitOptions {
  readonly queue: Queue;
  readonly nodes: () => Promise<NodeRegistry>;
  readonly source: ChoiceSource;
  readonly newId: () => string;
  readonly now: () => number;
  /** Milliseconds that validation may take, with the checks of node packs. */
  readonly validationTimeout?: number;
}

export type SubmitAnswer =
  | {
      readonly ok: true;
      readonly promptId: string;
      /** As JSON shows it. */
      readonly numberText: string;
      readonly nodeErrors: Readonly<Record<string, NodeErrors>>;
    }
  | {
      readonly ok: false;
      readonly status: number;
      readonly error: PromptError;
      readonly nodeErrors: Readonly<Record<string, NodeErrors>>;
    };

type Body = { readonly [key: string]: Json };

/** extra_data keys that are kept in memory only. */
const SECRETS = ['auth_token_comfy_org', 'api_key_comfy_org'];
const SECRET_HIDDEN: readonly string[] = ['AUTH_TOKEN_COMFY_ORG', 'API_KEY_COMFY_ORG'];

/** Who sends a prompt. */
export interface Sender {
  /** The user that the job will belong to. */
  readonly owner?: string;
  /** The request's Comfy-Usage-Source header. */
  readonly usageSource?: string;
}

/** Puts the prompt of a POST /prompt body into the queue. */
export async function submitPrompt(
  body: Json,
  options: SubmitOptions,
  { owner, usageSource }: Sender = {},
): Promise<SubmitAnswer> {
  const { queue, newId, now } = options;
  if (!isObject(body)) return refuse('invalid_prompt', 'The request body must be a JSON object');
  const number = numberOf(body, queue);
  if (typeof number === 'string') return refuse('invalid_number', number);
  const { prompt } = body;
  if (prompt === undefined) return refuse('no_prompt', 'No prompt provided', 'No prompt provided');
  if (!isObject(prompt) || !Object.values(prompt).every(isObject)) {
    return refuse('invalid_prompt', 'The prompt must be an object of node objects');
  }
  const promptId = promptIdOf(body.prompt_id) ?? newId();
  if (!isPromptId(promptId)) return refuse('invalid_prompt_id', BAD_ID, BAD_ID_DETAILS);

  const nodes = await options.nodes();
  const validation = await validated(prompt as unknown as Prompt, body, nodes, options);
  if (!validation.ok) return { ...validation, status: 400 };

  const { extraData, secrets } = extraDataOf(body, now(), usageSource);
  const numberText = stringifyJson(number);
  try {
    queue.submit({
      id: promptId,
      number: Number(number),
      numberText,
      prompt: stringifyJson(prompt),
      extraData: stringifyJson(extraData),
      outputs: validation.outputs,
      clientId: textOf(extraData.client_id),
      workflowId: workflowIdOf(extraData),
      owner,
      secrets,
      asksForSecrets: asksForSecrets(prompt as unknown as Prompt, nodes),
    });
  } catch (error) {
    if (!(error instanceof NoodleError) || error.code !== 'DUPLICATE_JOB') throw error;
    return { ...refuse('duplicate_prompt_id', error.message), status: error.status };
  }
  return { ok: true, promptId, numberText, nodeErrors: validation.nodeErrors };
}

/** What `submitPrompt` would say of the prompt of a body, without submitting it; undefined where it would take it. */
export async function refusalOf(
  body: Json,
  options: SubmitOptions,
): Promise<(SubmitAnswer & { ok: false }) | undefined> {
  if (!isObject(body) || !isObject(body.prompt)) return refuse('no_prompt', 'No prompt provided');
  const nodes = await options.nodes();
  const checked = await validated(body.prompt as unknown as Prompt, body, nodes, options);
  return checked.ok ? undefined : { ...checked, status: 400 };
}

const BAD_ID = 'prompt_id must be a UUID or another short text';
const BAD_ID_DETAILS =
  'expected a text or number of 1 to 200 printable characters without slashes; omit it to let ' +
  'the server generate one';

function refuse(type: string, message: string, details = ''): SubmitAnswer & { ok: false } {
  const error = { type, message, details, extra_info: {} };
  return { ok: false, status: 400, error, nodeErrors: {} };
}

/**
 * The job's place: a client's number as Python's float, else the counter, negative for `front`. The
 * counter moves even when the prompt is refused afterwards. A text says what is wrong.
 */
function numberOf(body: Body, queue: Queue): number | Float | string {
  if (body.number === undefined) {
    return queue.nextNumber(body.front !== undefined && truthy(body.front));
  }
  try {
    const number = toFloat(body.number);
    if (Number.isFinite(Number(number))) return number;
  } catch {
    // Told below, in the same words.
  }
  return `number must be a finite number, got ${stringifyJson(body.number)}`;
}

/** ComfyUI takes any id and makes it a text; null and absent mean: generate one. */
function promptIdOf(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';
}

/** New ids are UUIDs; others are taken as long as they can stand in addresses and logs. */
export const isPromptId = (id: string): boolean =>
  /^[\p{L}\p{N}\p{P}\p{S} ]{1,200}$/u.test(id) && !/[/\\]/.test(id);

async function validated(
  prompt: Prompt,
  body: Body,
  nodes: NodeRegistry,
  { source, validationTimeout = 60_000 }: SubmitOptions,
): ReturnType<typeof validatePrompt> {
  replaceOldNodes(prompt, nodes);
  const targets = body.partial_execution_targets;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<Awaited<ReturnType<typeof validatePrompt>>>((resolve) => {
    const { error, nodeErrors } = refuse(
      'validation_timeout',
      `Validation took longer than ${validationTimeout / 1000} s`,
      'a check of one of the nodes does not come to an end',
    );
    timer = setTimeout(() => resolve({ ok: false, error, nodeErrors }), validationTimeout);
  });
  const partialTargets = Array.isArray(targets) ? targets.map((id) => textOf(id) ?? '') : undefined;
  try {
    return await Promise.race([validatePrompt(prompt, { nodes, source, partialTargets }), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** extra_data as the queue keeps it, and what it must not keep. */
function extraDataOf(
  body: Body,
  createTime: number,
  usageSource: string | undefined,
): { extraData: Body; secrets: Secrets | undefined } {
  const given = isObject(body.extra_data) ? body.extra_data : {};
  const secrets = SECRETS.filter((key) => given[key] !== undefined);
  const extraData = objectOf(entriesOf(given).filter(([key]) => !SECRETS.includes(key)));
  if (body.client_id !== undefined) extraData.client_id = body.client_id;
  if (usageSource !== undefined) extraData.comfy_usage_source ??= usageSource;
  extraData.create_time = createTime;
  if (secrets.length === 0) return { extraData, secrets: undefined };
  return { extraData, secrets: Object.fromEntries(secrets.map((key) => [key, given[key]])) };
}

/** The editor's id of the workflow; a saved one that has none is known by its name. */
function workflowIdOf({ extra_pnginfo: info, form }: Body): string | undefined {
  const workflow = isObject(info) ? info.workflow : undefined;
  return (isObject(workflow) ? textOf(workflow.id) : undefined) ?? textOf(form);
}

/** Whether some node of the prompt declares one of the credentials as a hidden input. */
function asksForSecrets(prompt: Prompt, nodes: NodeRegistry): boolean {
  return Object.values(prompt).some(({ class_type }) =>
    Object.values(nodes.get(class_type)?.hidden ?? {}).some((kind) =>
      SECRET_HIDDEN.includes(String(kind)),
    ),
  );
}

const textOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Float)
  );
}

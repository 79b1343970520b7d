/** Saved workflows as the routes of the public API use them. */
import { readFileSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { NoodleError } from '../../errors.ts';
import type { Queue } from '../../queue/queue.ts';
import {
  PROGRAM_FORMS,
  type WorkflowFile,
  type WorkflowStore,
  workflowStore,
} from '../../store/workflows.ts';
import { formsOf, formsOfTexts, isApiFormat } from '../../workflow/forms.ts';
import type { Form } from '../../workflow/form/form.ts';
import { makeForm } from '../../workflow/form/make-form.ts';
import { readSettings } from '../../workflow/form/settings.ts';
import { type Json, parseJson, stringifyJson } from '../../workflow/lossless-json.ts';
import { readImageWorkflow } from '../../workflow/png-text.ts';
import type { ObjectInfo } from '../../workflow/types.ts';
import { finishedOutputs } from './job-json.ts';
import type { Api } from './api.ts';
import { type Body, infoFor, notThere } from './run-workflow.ts';
import type { Call } from './route.ts';

type Members = { [key: string]: Json };

/** The library of whoever asks; throws USER_UNKNOWN. */
export const libraryOf = (
  { owner }: Pick<Call<unknown, unknown, unknown>, 'owner'>,
  { users }: Api,
): WorkflowStore => workflowStore(users.root(users.resolve(owner)), PROGRAM_FORMS);

/** A workflow that is open for work. */
export interface OpenWorkflow {
  readonly entry: WorkflowFile;
  /** An editor workflow or a prompt in the API format. */
  readonly file: Members;
  readonly info: ObjectInfo;
  readonly form: Form;
}

/** Reads a workflow and makes its form; throws FILE_NOT_FOUND, or BAD_INPUT where the file is none. */
export async function openWorkflow(
  library: WorkflowStore,
  id: string,
  api: Api,
): Promise<OpenWorkflow> {
  const entry = library.find(id);
  const file = workflowIn(parseFile(id, library.read(id)), id);
  const info = await infoFor(file, api);
  return { entry, file, info, form: formOf(file, info, id) };
}

/** The form of a workflow; throws BAD_INPUT about `subject` where it has none. */
export function formOf(file: Members, info: ObjectInfo, subject: string): Form {
  try {
    return makeForm(file, info);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw noWorkflow(subject, error.message);
  }
}

function parseFile(id: string, text: string): Json {
  try {
    return parseJson(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw noWorkflow(id, (error as Error).message);
  }
}

/** What a file holds: the editor's form where it has one. */
function workflowIn(value: Json, subject: string): Members {
  const { workflow, prompt } = formsOf(value);
  const found = (workflow ?? prompt) as Members | undefined;
  if (found === undefined) throw noWorkflow(subject, 'other JSON');
  return found;
}

const noWorkflow = (subject: string, got: string): NoodleError =>
  new NoodleError('BAD_INPUT', { subject, expected: 'a ComfyUI workflow or prompt', got });

/** The workflow in a request: as JSON, or inside a picture. Throws a problem where there is none. */
export async function workflowOfBody(raw: Body): Promise<Members> {
  const { picture, workflow: given } = raw;
  if (typeof picture === 'string') {
    const bytes = Buffer.from(picture, 'base64');
    const { workflow, prompt, unusable } = formsOfTexts(await readImageWorkflow(bytes));
    const found = (workflow ?? prompt) as Members | undefined;
    if (found !== undefined) return found;
    const why = unusable.length > 0 ? ` (${unusable.join('; ')})` : '';
    throw notThere('/picture', `a PNG or WebP that holds a workflow${why}`);
  }
  const { workflow, prompt } = formsOf(given ?? null);
  const found = (workflow ?? prompt) as Members | undefined;
  if (found === undefined) throw notThere('/workflow', 'an editor workflow or an API prompt');
  return found;
}

/** A workflow as files hold it. */
export const fileText = (file: Members): string =>
  stringifyJson(file, { style: 'compact', indent: 2 });

/** The id under which its jobs are found. */
export const jobsKey = (id: string, file: unknown): string => {
  const own = typeof file === 'object' && file !== null && 'id' in file ? file.id : undefined;
  return typeof own === 'string' && !isApiFormat(file) ? own : id;
};

interface Known {
  readonly title: string;
  readonly description: string;
  readonly app: boolean;
  readonly jobs: string;
}

/** What lists say of files, by path and time: a library may hold thousands. */
const known = new LRUCache<string, Known>({ max: 5000 });

function knownOf({ id, path, modified, size }: WorkflowFile): Known {
  const key = `${path} ${modified} ${size}`;
  const cached = known.get(key);
  if (cached !== undefined) return cached;
  let about: Known = { title: '', description: '', app: false, jobs: id };
  try {
    const file = workflowIn(parseJson(readFileSync(path, 'utf8')), id);
    const { title = '', description = '', inputs } = readSettings(file);
    about = { title, description, app: inputs !== undefined, jobs: jobsKey(id, file) };
  } catch {
    // Listed all the same: whoever opens it is told what is wrong with it.
  }
  known.set(key, about);
  return about;
}

/** A workflow as lists show it. */
export function summaryOf(entry: WorkflowFile, queue: Queue, base: string) {
  const { title, description, app, jobs } = knownOf(entry);
  const { id, builtin, size, modified } = entry;
  const address = encodeURIComponent(id);
  const picture = newestPicture(queue, jobs) ?? (builtin ? examplePicture(id) : undefined);
  return {
    id,
    name: id.slice(id.lastIndexOf('/') + 1),
    title,
    description,
    builtin,
    app,
    size,
    modified_at: new Date(modified).toISOString(),
    picture: picture === undefined ? null : base + picture,
    urls: {
      self: `${base}/v1/workflows/${address}`,
      form: `${base}/v1/workflows/${address}/form`,
      page: `${base}/ui/run/${address}`,
    },
  };
}

/** What a form of the program makes; the editor's list of examples shows the same pictures. */
const examplePicture = (id: string): string =>
  `/ui/workflows/${encodeURIComponent(`forms/${id}.json`)}/picture`;

function newestPicture(queue: Queue, workflowId: string): string | undefined {
  const { jobs } = queue.list({
    statuses: ['completed'],
    workflowId,
    limit: 3,
    offset: 0,
    sortBy: 'created_at',
    descending: true,
  });
  return jobs
    .flatMap(finishedOutputs)
    .find(({ media_type: type, directory }) => type?.startsWith('image/') && directory === 'output')
    ?.url;
}

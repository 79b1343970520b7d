/** /v1/workflows/{id}/form and /run: a saved workflow for people and programs without a graph. */
import { Type } from 'typebox';
import { isApiFormat } from '../../../workflow/forms.ts';
import { chosenForm } from '../../../workflow/form/choose-fields.ts';
import { checkValues, fillForm } from '../../../workflow/form/set-values.ts';
import { type Json, parseJson } from '../../../workflow/lossless-json.ts';
import { promptToWorkflow } from '../../../workflow/prompt-to-workflow.ts';
import { isObject } from '../../job-view.ts';
import { formOperation } from '../form-openapi.ts';
import {
  FormChange,
  FormRunRequest,
  FormRunResult,
  FormRuns,
  WorkflowForm,
} from '../form-schemas.ts';
import { jobJson, withBase } from '../job-json.ts';
import { formSubmission, randomSeeds, refuseValues, valuesIn } from '../form-runs.ts';
import { openApiDocument } from '../openapi.ts';
import { ok, route } from '../route.ts';
import { pageQuery } from '../schema-parts.ts';
import { answerRun, checkWebhook, infoFor, objectIn } from '../run-workflow.ts';
import { fileText, formOf, jobsKey, libraryOf, openWorkflow } from '../saved-workflows.ts';
import { programVersion } from '../../../version.ts';
import { NO_WORKFLOW, workflowParams as params } from './library.ts';

export const formRoutes = [
  route({
    method: 'get',
    path: '/v1/workflows/{id}/form',
    id: 'getForm',
    tag: 'Forms',
    summary: 'What a workflow asks for',
    description:
      "The author's choice (ComfyUI's app mode) where there is one, else what rules find: prompts, " +
      'sizes, seeds, samplers, models. Choices are as fresh as the folders.',
    params,
    responses: { 200: { description: 'The form.', schema: WorkflowForm }, ...NO_WORKFLOW },
    run: async (call, api) => {
      const { entry, form } = await openWorkflow(libraryOf(call, api), call.params.id, api);
      return ok({ id: entry.id, builtin: entry.builtin, ...form });
    },
  }),
  route({
    method: 'put',
    path: '/v1/workflows/{id}/form',
    id: 'changeForm',
    tag: 'Forms',
    summary: 'Choose what a workflow asks for',
    description:
      "Kept in the workflow's own file: ComfyUI reads the choice and its order. A workflow that " +
      "comes with the program is not changed: the user's own copy is made.",
    params,
    body: FormChange,
    bodyExample: { title: 'Postcards', fields: [{ key: '6.text', label: 'What to draw' }] },
    responses: { 200: { description: 'The form.', schema: WorkflowForm }, ...NO_WORKFLOW },
    run: async (call, api) => {
      const library = libraryOf(call, api);
      const { entry, file, info, form } = await openWorkflow(library, call.params.id, api);
      const { id } = entry;
      const defaults = defaultsIn(call.raw.fields);
      const { values, problems } = checkValues(form, defaults);
      refuseValues(problems, '/fields');
      const { file: filled } = fillForm(file, form, values, info);
      const drawn = isApiFormat(filled)
        ? (promptToWorkflow(filled, info) as unknown as { [key: string]: Json })
        : filled;
      const { changed, unknown } = chosenForm(drawn, info, call.body);
      const missing = unknown.map((name) => ({ name, detail: 'is no field of this form' }));
      refuseValues(missing, '/fields');
      const written = library.write(id, fileText(changed), { overwrite: true });
      const after = formOf(changed, await infoFor(changed, api), id);
      return ok({ id, builtin: written.builtin, ...after });
    },
  }),
  route({
    method: 'post',
    path: '/v1/workflows/{id}/run',
    id: 'runForm',
    tag: 'Forms',
    summary: 'Run a saved workflow with these values',
    description:
      'Every saved workflow has an operation of its own in the document of `GET ' +
      '/v1/workflows/{id}/openapi.json`, with the names and types of its values.',
    params,
    body: FormRunRequest,
    bodyExample: { values: { prompt: 'a blue star', seed: 7 }, wait: 60 },
    responses: {
      200: { description: 'The job has finished, one way or another.', schema: FormRunResult },
      202: { description: 'The job waits or runs.', schema: FormRunResult },
      ...NO_WORKFLOW,
      409: { description: 'A job of this id waits or runs.' },
      503: { description: 'Too many webhooks wait.' },
    },
    run: async (call, api) => {
      checkWebhook(call.body, api);
      const library = libraryOf(call, api);
      const opened = await openWorkflow(library, call.params.id, api);
      const { file, info, form } = opened;
      const { values, problems } = checkValues(form, objectIn(call.raw.values));
      refuseValues(problems, '/values');
      const used = new Map([
        ...(call.body.seed_mode === 'random' ? randomSeeds(form) : []),
        ...values,
      ]);
      const filled = fillForm(file, form, used, info);
      const body = formSubmission(opened, filled, call.raw);
      const answer = await api.submit(body, { owner: call.owner });
      const shown = valuesIn(form, filled.prompt as unknown as Json);
      const { warnings } = filled;
      return answerRun(answer, call, api, { warnings, at: undefined }, { values: shown });
    },
  }),
  route({
    method: 'get',
    path: '/v1/workflows/{id}/runs',
    id: 'listRuns',
    tag: 'Forms',
    summary: 'Jobs that a saved workflow made, with the values of its fields',
    params,
    query: Type.Object({
      ...pageQuery(20, 100),
    }),
    responses: { 200: { description: 'The runs.', schema: FormRuns }, ...NO_WORKFLOW },
    run: async (call, api) => {
      const { queue, events } = api;
      const { entry, file, form } = await openWorkflow(libraryOf(call, api), call.params.id, api);
      const { limit = 20, offset = 0 } = call.query;
      const workflowId = jobsKey(entry.id, file);
      const order = { sortBy: 'created_at', descending: true } as const;
      const { jobs, total } = queue.list({ workflowId, limit, offset, ...order });
      const runs = jobs.map((job) => ({
        job: withBase(jobJson(job, { progress: events.progress(job.id) }), call.base),
        values: valuesIn(form, parseJson(queue.job(job.id)?.prompt ?? '{}')),
      }));
      return ok({ runs, total });
    },
  }),
  route({
    method: 'get',
    path: '/v1/workflows/{id}/openapi.json',
    id: 'getFormOpenApi',
    tag: 'Forms',
    summary: 'The API of one saved workflow',
    params,
    responses: {
      200: {
        description: 'An OpenAPI 3.1 document with one operation.',
        schema: Type.Unsafe<object>({ type: 'object' }),
      },
      ...NO_WORKFLOW,
    },
    run: async (call, api) => {
      const { entry, form } = await openWorkflow(libraryOf(call, api), call.params.id, api);
      const { token, userTokens } = api.config;
      const isGuarded = token !== undefined || userTokens !== undefined;
      const options = { version: programVersion(), token: isGuarded };
      return ok(openApiDocument([formOperation(entry.id, form)], options));
    },
  }),
];

/** What the fields should hold from now on. */
function defaultsIn(fields: Json | undefined): { [key: string]: Json } {
  const list = Array.isArray(fields) ? fields.filter(isObject) : [];
  return Object.fromEntries(
    list
      .filter(({ key, default: value }) => typeof key === 'string' && value !== undefined)
      .map(({ key, default: value }) => [key as string, value]),
  );
}

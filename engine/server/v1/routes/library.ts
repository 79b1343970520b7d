/** /v1/workflows: the workflows that a user keeps. */
import { Type } from 'typebox';
import { NoodleError } from '../../../errors.ts';
import { validatePrompt } from '../../../graph/validate.ts';
import { isApiFormat } from '../../../workflow/forms.ts';
import { workflowToPrompt } from '../../../workflow/to-prompt.ts';
import {
  NewWorkflow,
  Requirements,
  SavedWorkflow,
  WorkflowChange,
  WorkflowCheck,
  WorkflowList,
  WorkflowSource,
  WorkflowSummary,
} from '../form-schemas.ts';
import { pageQuery } from '../schema-parts.ts';
import { requirementsOf } from '../requirements.ts';
import { ok, route } from '../route.ts';
import { infoFor, nodeErrors } from '../run-workflow.ts';
import {
  fileText,
  libraryOf,
  openWorkflow,
  summaryOf,
  workflowOfBody,
} from '../saved-workflows.ts';

export const workflowParams = Type.Object({
  id: Type.String({ description: 'Id of the workflow; `/` is written `%2F`.' }),
});
export const NO_WORKFLOW = {
  403: { description: 'The id leads out of the folder.' },
  404: { description: 'There is no such workflow.' },
};
const READ_ONLY = { description: 'It comes with the program, or a file of that name is there.' };

export const libraryRoutes = [
  route({
    method: 'get',
    path: '/v1/workflows',
    id: 'listWorkflows',
    tag: 'Library',
    summary: 'List saved workflows',
    description:
      "Those that come with the program, and the user's own (which the editor shows too).",
    query: Type.Object({
      q: Type.Optional(Type.String({ description: 'Part of the id or title, in any case.' })),
      ...pageQuery(200, 1000),
    }),
    responses: { 200: { description: 'The workflows.', schema: WorkflowList } },
    run: (call, api) => {
      const { q = '', limit = 200, offset = 0 } = call.query;
      const wanted = q.toLowerCase();
      const all = libraryOf(call, api).list();
      const shown = wanted === '' ? all.slice(offset, offset + limit) : all;
      const found = shown
        .map((entry) => summaryOf(entry, api.queue, call.base))
        .filter(({ id, title }) => `${id}\n${title}`.toLowerCase().includes(wanted));
      const page = wanted === '' ? found : found.slice(offset, offset + limit);
      return ok({ workflows: page, total: wanted === '' ? all.length : found.length });
    },
  }),
  route({
    method: 'post',
    path: '/v1/workflows',
    id: 'saveWorkflow',
    tag: 'Library',
    summary: 'Save or import a workflow',
    description:
      'Takes an editor workflow, a prompt in the API format, or a picture with one inside.',
    body: NewWorkflow,
    bodyExample: {
      name: 'colour',
      workflow: {
        1: {
          class_type: 'EmptyImage',
          inputs: { width: 64, height: 64, batch_size: 1, color: 255 },
        },
        2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'colour' } },
      },
    },
    responses: {
      201: { description: 'The saved workflow.', schema: WorkflowSummary },
      403: NO_WORKFLOW[403],
      409: { description: 'A workflow of that name is there.' },
    },
    run: async (call, api) => {
      const { name, folder = '', overwrite = false } = call.body;
      const text = fileText(await workflowOfBody(call.raw));
      const id = folder === '' ? name : `${folder.replace(/\/+$/, '')}/${name}`;
      const entry = libraryOf(call, api).write(id, text, { overwrite });
      const body = summaryOf(entry, api.queue, call.base);
      return { status: 201, headers: { Location: body.urls.self }, body };
    },
  }),
  route({
    method: 'post',
    path: '/v1/workflows/validate',
    id: 'validateWorkflow',
    tag: 'Library',
    summary: 'Check a workflow without running it',
    body: WorkflowSource,
    bodyExample: { workflow: { 1: { class_type: 'EmptyImage', inputs: {} } } },
    responses: { 200: { description: 'What is wrong with it.', schema: WorkflowCheck } },
    run: async (call, api) => {
      const file = await workflowOfBody(call.raw);
      const info = await infoFor(file, api);
      const isApi = isApiFormat(file);
      const { prompt, warnings } = isApi
        ? { prompt: file, warnings: [] }
        : workflowToPrompt(file, info);
      for (const node of Object.values(prompt)) node.inputs ??= {};
      const options = { nodes: await api.nodes(), source: api.folders };
      const checked = await validatePrompt(prompt, options);
      const errors = nodeErrors(checked.nodeErrors, isApi ? '/workflow' : undefined);
      if (!checked.ok && errors.length === 0) {
        const { message, details } = checked.error;
        errors.push({ detail: details === '' ? message : `${message}: ${details}` });
      }
      return ok({
        valid: errors.length === 0,
        format: isApi ? 'api' : 'editor',
        errors,
        warnings,
        requirements: await requirementsOf(file, info, api.folders),
      });
    },
  }),
  route({
    method: 'get',
    path: '/v1/workflows/{id}',
    id: 'getWorkflow',
    tag: 'Library',
    summary: 'A saved workflow with its contents',
    params: workflowParams,
    query: Type.Object({
      format: Type.Optional(
        Type.Unsafe<'file' | 'api'>({
          type: 'string',
          enum: ['file', 'api'],
          default: 'file',
          description: 'The file as it is, or the prompt that it makes.',
        }),
      ),
    }),
    responses: { 200: { description: 'The workflow.', schema: SavedWorkflow }, ...NO_WORKFLOW },
    run: async (call, api) => {
      const { entry, file, info } = await openWorkflow(libraryOf(call, api), call.params.id, api);
      const isConverted = call.query.format === 'api' && !isApiFormat(file);
      const { prompt, warnings } = isConverted
        ? workflowToPrompt(file, info, { keepTexts: true })
        : { prompt: file, warnings: [] };
      return ok({ ...summaryOf(entry, api.queue, call.base), workflow: prompt, warnings });
    },
  }),
  route({
    method: 'put',
    path: '/v1/workflows/{id}',
    id: 'changeWorkflow',
    tag: 'Library',
    summary: 'Replace or rename a saved workflow',
    description: "One that comes with the program is not changed: the user's own copy is made.",
    params: workflowParams,
    body: WorkflowChange,
    bodyExample: { id: 'portraits/colour' },
    responses: {
      200: { description: 'The workflow.', schema: WorkflowSummary },
      ...NO_WORKFLOW,
      409: READ_ONLY,
    },
    run: async (call, api) => {
      const library = libraryOf(call, api);
      const { id, ...source } = call.raw;
      let entry = library.find(call.params.id);
      if (Object.keys(source).length > 0) {
        const text = fileText(await workflowOfBody(source));
        entry = library.write(entry.id, text, { overwrite: true });
      }
      if (typeof id === 'string' && id !== entry.id) {
        if (entry.builtin) throw readOnly(entry.id);
        entry = library.move(entry.id, id);
      }
      return ok(summaryOf(entry, api.queue, call.base));
    },
  }),
  route({
    method: 'delete',
    path: '/v1/workflows/{id}',
    id: 'deleteWorkflow',
    tag: 'Library',
    summary: 'Delete a saved workflow',
    params: workflowParams,
    responses: {
      200: { description: 'It is gone.', schema: Type.Object({ id: Type.String() }) },
      ...NO_WORKFLOW,
      409: READ_ONLY,
    },
    run: (call, api) => {
      const library = libraryOf(call, api);
      const { id, builtin } = library.find(call.params.id);
      if (builtin) throw readOnly(id);
      library.remove(id);
      return ok({ id });
    },
  }),
  route({
    method: 'get',
    path: '/v1/workflows/{id}/requirements',
    id: 'getRequirements',
    tag: 'Library',
    summary: 'What a workflow needs that may be missing',
    params: workflowParams,
    responses: {
      200: { description: 'Classes and models.', schema: Requirements },
      ...NO_WORKFLOW,
    },
    run: async (call, api) => {
      const { file, info } = await openWorkflow(libraryOf(call, api), call.params.id, api);
      return ok(await requirementsOf(file, info, api.folders));
    },
  }),
];

const readOnly = (id: string): NoodleError => new NoodleError('READ_ONLY', { name: id });

/** /v1/batches: many runs of one form, made together. */
import { Type } from 'typebox';
import { BatchRequest, BatchRetry, Batch, BatchList } from '../batch-schemas.ts';
import {
  batchJson,
  batchSummary,
  cancelBatch,
  findBatch,
  makeBatch,
  retryBatch,
} from '../batches.ts';
import { ok, route } from '../route.ts';
import { libraryOf, openWorkflow } from '../saved-workflows.ts';
import { pageQuery } from '../schema-parts.ts';
import { NO_WORKFLOW } from './library.ts';

const tag = 'Batches';
const params = Type.Object({ id: Type.String({ description: 'Id of the batch.' }) });
const NO_BATCH = { 404: { description: 'There is no such batch.' } };

export const batchRoutes = [
  route({
    method: 'post',
    path: '/v1/batches',
    id: 'makeBatch',
    tag,
    summary: 'Run a saved workflow many times',
    description:
      'Over lists of values (`vary`), the lines of a table (`csv`), or with other seeds (`count`). ' +
      'All values are checked before the first job is made. The jobs are ordinary jobs of the queue.',
    body: BatchRequest,
    bodyExample: {
      workflow_id: 'text-to-image',
      values: { prompt: 'a blue star', seed: 7 },
      vary: [
        { field: 'steps', values: [10, 20] },
        { field: 'cfg', values: [3, 5, 7] },
      ],
    },
    responses: {
      202: { description: 'The batch; its jobs wait or run.', schema: Batch },
      ...NO_WORKFLOW,
    },
    run: async (call, api) => {
      const { owner, base, body, raw } = call;
      const opened = await openWorkflow(libraryOf(call, api), body.workflow_id, api);
      const batch = batchJson(await makeBatch(opened, raw, { owner }, api), base, api);
      return { status: 202, headers: { Location: batch.urls.self }, body: batch };
    },
  }),
  route({
    method: 'get',
    path: '/v1/batches',
    id: 'listBatches',
    tag,
    summary: 'List batches, the newest first',
    query: Type.Object({
      workflow_id: Type.Optional(Type.String({ description: 'Only those of this workflow.' })),
      ...pageQuery(20, 100),
    }),
    responses: { 200: { description: 'A page of batches.', schema: BatchList } },
    run: ({ query, owner, base }, api) => {
      const { workflow_id: workflow, limit = 20, offset = 0 } = query;
      const { batches, total } = api.batches.list({ workflow, owner, limit, offset });
      return ok({ batches: batches.map((batch) => batchSummary(batch, base, api)), total });
    },
  }),
  route({
    method: 'get',
    path: '/v1/batches/{id}',
    id: 'getBatch',
    tag,
    summary: 'One batch with its runs and what they made',
    params,
    responses: { 200: { description: 'The batch.', schema: Batch }, ...NO_BATCH },
    run: (call, api) => ok(batchJson(findBatch(call.params.id, call, api), call.base, api)),
  }),
  route({
    method: 'delete',
    path: '/v1/batches/{id}',
    id: 'cancelBatch',
    tag,
    summary: 'Cancel what waits or runs of a batch',
    params,
    responses: {
      200: { description: 'None of it runs any more.', schema: Batch },
      202: { description: 'What runs was told to stop.', schema: Batch },
      ...NO_BATCH,
    },
    run: (call, api) => {
      const batch = findBatch(call.params.id, call, api);
      const isStopping = cancelBatch(batch, api);
      return { status: isStopping ? 202 : 200, body: batchJson(batch, call.base, api) };
    },
  }),
  route({
    method: 'post',
    path: '/v1/batches/{id}/retry',
    id: 'retryBatch',
    tag,
    summary: 'Run again what failed of a batch',
    description: 'With the workflow as it is now; the new jobs take the places of the old ones.',
    params,
    body: BatchRetry,
    bodyExample: { status: ['failed', 'cancelled'] },
    responses: {
      202: { description: 'The batch; new jobs wait or run.', schema: Batch },
      403: NO_WORKFLOW[403],
      404: { description: 'There is no such batch, or its workflow is gone.' },
      409: { description: 'There is nothing to run again.' },
    },
    run: async (call, api) => {
      const { owner, base, body, raw } = call;
      const batch = findBatch(call.params.id, call, api);
      const opened = await openWorkflow(libraryOf(call, api), batch.workflow, api);
      const { status = ['failed'] } = body;
      await retryBatch(opened, batch, status, { owner, clientId: raw.client_id }, api);
      return { status: 202, body: batchJson(batch, base, api) };
    },
  }),
];

/** /api/jobs: queue and history as the job lists of pages read them (spec §1.8). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, connect, startServer, testingPack } from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- JSON from the wire */

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ packs: [testingPack] });
});
afterAll(() => server?.stop());

const grey = {
  class_type: 'StubConstantImage',
  inputs: { value: 0.5, height: 8, width: 8, batch_size: 2 },
};
const saved = {
  1: grey,
  2: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
  3: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'job' } },
};
const sleeper = (seconds: number) => ({
  1: grey,
  2: { class_type: 'TestSleep', inputs: { value: ['1', 0], seconds } },
  3: { class_type: 'PreviewImage', inputs: { images: ['2', 0] } },
});
const failing = {
  1: { class_type: 'TestSyncError', inputs: { value: ['2', 0] } },
  2: grey,
  3: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
};

async function run(prompt: object, wait = true): Promise<string> {
  const client = await connect(server);
  const extra = { extra_pnginfo: { workflow: { id: 'flow-1' } } };
  const body = { prompt, client_id: client.sid, extra_data: extra };
  const { prompt_id: id }: any = await (await server.post('/prompt', body)).json();
  if (wait) await client.finished(id);
  await client.close();
  return id;
}
const job = (id: string): Promise<any> => server.json(`/api/jobs/${id}`);
const cancel = async (path: string, body: unknown = ''): Promise<unknown> =>
  (await server.post(path, body)).json();

it('shows finished, failed, running, waiting and cancelled jobs', async () => {
  const done = await run(saved);
  const failed = await run(failing);
  const running = await run(sleeper(60), false);
  const waiting = await run(sleeper(61), false);
  await expect
    .poll(async () => (await job(running)).status, { timeout: 10_000 })
    .toBe('in_progress');

  const list = await server.json('/api/jobs?sort_order=asc');
  expect(list.pagination).toEqual({ offset: 0, limit: null, total: 4, has_more: false });
  const byId = Object.fromEntries(list.jobs.map((entry: any) => [entry.id, entry]));
  expect(byId[done]).toMatchObject({
    status: 'completed',
    priority: 0,
    workflow_id: 'flow-1',
    outputs_count: 4,
    previewable_outputs_count: 4,
    preview_output: {
      filename: 'job_00001_.png',
      subfolder: '',
      type: 'output',
      nodeId: '3',
      mediaType: 'images',
    },
  });
  const { create_time: created, execution_start_time: start, execution_end_time: end } = byId[done];
  expect(created).toBeLessThanOrEqual(start);
  expect(start).toBeLessThanOrEqual(end);
  expect(byId[failed]).toMatchObject({
    status: 'failed',
    execution_error: { node_id: '1', node_type: 'TestSyncError', prompt_id: failed },
  });
  expect(byId[waiting]).toMatchObject({ status: 'pending', outputs_count: 0 });

  const detail = await job(done);
  expect(Object.keys(detail.outputs).sort()).toEqual(['2', '3']);
  expect(detail.workflow.prompt['3'].inputs.filename_prefix).toBe('job');
  expect(detail.workflow.extra_data.extra_pnginfo.workflow).toEqual({ id: 'flow-1' });

  const ids = async (query: string): Promise<string[]> =>
    (await server.json(`/api/jobs?${query}`)).jobs.map(({ id }: any) => id);
  expect(await ids('status=pending,in_progress&sort_order=asc')).toEqual([running, waiting]);
  expect(await ids('status=completed&limit=1')).toEqual([done]);
  const spelled = 'status=Pending,IN_PROGRESS&sort_by=Created_At&sort_order=ASC';
  expect(await ids(spelled)).toEqual([running, waiting]);
  expect(await ids('workflow_id=other')).toEqual([]);
  expect(await ids('status=,')).toEqual([]);
  expect(await ids('status=')).toHaveLength(4);

  expect(await cancel(`/api/jobs/${waiting}/cancel`)).toEqual({ cancelled: true });
  expect(await cancel('/api/jobs/cancel', { job_ids: [running] })).toEqual({ cancelled: true });
  expect(await cancel(`/api/jobs/${done}/cancel`)).toEqual({ cancelled: false });
  await expect.poll(async () => (await job(running)).status, { timeout: 10_000 }).toBe('cancelled');
});

it.each([
  ['status=lost', 'Invalid status value(s): lost. Valid values: '],
  ['limit=0', 'limit must be a positive integer'],
  ['limit=x', 'limit must be an integer'],
  ['sort_by=name', "sort_by must be 'created_at' or 'execution_duration'"],
])('refuses %s', async (query, error) => {
  const answer = await server.get(`/api/jobs?${query}`);
  expect(answer.status).toBe(400);
  expect(((await answer.json()) as { error: string }).error).toContain(error);
});

it('names the ids of a list that are none', async () => {
  const unknown = '00000000-0000-4000-8000-000000000000';
  const batch = (ids: unknown[]) => server.post('/api/jobs/cancel', { job_ids: ids });
  expect(await (await batch([unknown])).json()).toEqual({ cancelled: false });
  const answer = await batch([unknown, 'lost', 7, null, {}]);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toEqual({
    error: 'job_ids contains invalid id(s)',
    invalid_ids: ['lost', '7', 'None', '{}'],
  });
});

it('knows no other jobs', async () => {
  expect((await server.get('/api/jobs/none')).status).toBe(404);
  expect((await server.get('/jobs')).status).toBe(404);
});

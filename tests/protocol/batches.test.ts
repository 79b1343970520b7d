/** Many runs of one form on a real server, made together; every answer is held against the API's document. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PublicApi, openPublicApi } from '../support/public-api.ts';
import { type TestServer, startServer, testingPack } from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- JSON from the wire */

const base = mkdtempSync(join(tmpdir(), 'noodle-batches-'));
let server: TestServer;
let api: PublicApi;

/** Clients of the servers that were there. */
const clients: PublicApi[] = [];

const start = async (packs: readonly string[]): Promise<void> => {
  server = await startServer({ base, packs });
  clients.push((api = await openPublicApi(server)));
};
beforeAll(async () => {
  await start([testingPack]);
  const saved = {
    'of colours': {
      1: {
        class_type: 'EmptyImage',
        inputs: { width: 8, height: 8, batch_size: 1, color: 1 },
      },
      2: { class_type: 'TestSleep', inputs: { value: ['1', 0], seconds: 0 } },
      3: { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'colour' } },
    },
    noise: {
      1: { class_type: 'RandomNoise', inputs: { noise_seed: 2 ** 53 } },
      2: { class_type: 'PreviewAny', inputs: { source: ['1', 0] } },
    },
    files: {
      1: { class_type: 'LoadImage', inputs: { image: 'example.png' } },
      2: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
    },
  };
  for (const [name, workflow] of Object.entries(saved)) {
    expect((await api.call('POST', '/v1/workflows', { name, workflow })).status).toBe(201);
  }
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});

const call = (method: string, path: string, body?: unknown) => api.call(method, path, body);
const make = async (body: object) => (await call('POST', '/v1/batches', body)).json;
const at = (id: string, part = ''): string => `/v1/batches/${id}${part}`;
const settled = async (id: string): Promise<any> => {
  await expect
    .poll(
      async () => {
        const { counts } = (await call('GET', at(id))).json;
        return counts.pending + counts.in_progress;
      },
      { timeout: 30_000 },
    )
    .toBe(0);
  return (await call('GET', at(id))).json;
};

describe('a batch', () => {
  it('is a grid over two fields, whose jobs are jobs of the queue', async () => {
    const { status, json, headers } = await call('POST', '/v1/batches', {
      workflow_id: 'of colours',
      title: 'sizes',
      values: { height: 4 },
      vary: [
        { field: '1.color', values: [7, 9] },
        { field: 'width', values: [1, 2, 3] },
      ],
    });
    expect([status, json.total, json.title]).toEqual([202, 6, 'sizes']);
    expect(headers.get('location')).toBe(json.urls.self);
    expect(json.runs.map(({ values }: any) => [values['1.color'], values['1.width']])).toEqual([
      ...[
        [7, 1],
        [7, 2],
        [7, 3],
        [9, 1],
        [9, 2],
        [9, 3],
      ],
    ]);
    expect(json.values).toMatchObject({
      '1.height': 4,
      '1.width': 8,
      '3.filename_prefix': 'colour',
    });
    const done = await settled(json.id);
    expect(done.counts).toMatchObject({ completed: 6, failed: 0 });
    const { job } = done.runs[4];
    expect(job.outputs[0]).toMatchObject({ media_type: 'image/png', directory: 'output' });
    const run = (await call('GET', `/v1/jobs/${job.id}?include=prompt`)).json;
    expect(run.prompt['1'].inputs).toMatchObject({ width: 2, height: 4, color: 9 });
    expect(run.extra_data.workflow_name).toBe('of colours');
    const runs = (await call('GET', '/v1/workflows/of%20colours/runs')).json;
    expect(runs.total).toBe(6);
  });

  it('is a table, of which it says what is wrong by line', async () => {
    const csv = 'width,Color\n3,16\n,"17"\n';
    const made = await make({ workflow_id: 'of colours', values: { width: 5 }, csv });
    expect(made.runs.map(({ values }: any) => values)).toEqual([
      { '1.width': 3, '1.color': 16 },
      { '1.color': 17 },
    ]);
    expect((await settled(made.id)).counts.completed).toBe(2);
    const wrong = await call('POST', '/v1/batches', {
      workflow_id: 'of colours',
      csv: 'width,colour of the sky\n0,1\nwide,2,3',
    });
    expect([wrong.status, wrong.json.code]).toEqual([400, 'validation_failed']);
    expect(wrong.json.errors).toEqual([
      { pointer: '/csv', detail: "line 1: 'colour of the sky' is no field of this form" },
      { pointer: '/csv', detail: 'line 2, Width: must be >= 1' },
      { pointer: '/csv', detail: 'line 3: it has more cells than the first one' },
      { pointer: '/csv', detail: 'line 3, Width: must be a whole number' },
    ]);
  });

  it('counts seeds up digit for digit, draws them, or leaves them', async () => {
    const seeds = async (more: object) => {
      const text = await server
        .get('/v1/batches', {
          method: 'POST',
          body: JSON.stringify({ workflow_id: 'noise', ...more }),
        })
        .then((response) => response.text());
      return [...text.matchAll(/"1\.noise_seed": (\d+)/g)].map(([, seed]) => seed);
    };
    // The first is the value of the file.
    expect(await seeds({ count: 3 })).toEqual([
      ...['9007199254740992', '9007199254740992', '9007199254740993', '9007199254740994'],
    ]);
    const drawn = await seeds({ count: 2, seed_mode: 'random' });
    expect(new Set(drawn).size).toBe(3);
    expect(await seeds({ count: 2, seed_mode: 'fixed' })).toHaveLength(1);
  });

  it('refuses what would make no run, too many, or one that could not run', async () => {
    const refused = async (body: object) => {
      const { status, json } = await call('POST', '/v1/batches', body);
      expect(status).toBe(400);
      return json.errors;
    };
    const many = Array.from({ length: 40 }, (_, i) => i + 1);
    const vary = ['width', 'height'].map((field) => ({ field, values: many }));
    expect(await refused({ workflow_id: 'of colours', vary })).toEqual([
      { pointer: '/vary', detail: 'makes 1600 runs; a batch has at most 500' },
    ]);
    expect(await refused({ workflow_id: 'of colours', csv: 'width' })).toEqual([
      { pointer: '/csv', detail: 'makes no run' },
    ]);
    const values = { none: 1, width: 'x' };
    expect(await refused({ workflow_id: 'of colours', values, vary, csv: 'width\n1' })).toEqual([
      { pointer: '/values/none', detail: 'is no field of this form' },
      { pointer: '/values/width', detail: 'must be a whole number' },
      { pointer: '/vary', detail: 'cannot be given together with csv' },
    ]);
    const before = (await call('GET', '/v1/jobs')).json.total;
    const errors = await refused({ workflow_id: 'files', csv: 'image\nexample.png\nnone.png' });
    expect(errors.at(-1)).toMatchObject({ node_id: '1', input: 'image' });
    expect(errors.at(-1).detail).toMatch(/^run 2: LoadImage: .*none\.png/);
    expect((await call('GET', '/v1/jobs')).json.total).toBe(before);
    expect((await call('POST', '/v1/batches', { workflow_id: 'nothing' })).status).toBe(404);
    expect((await call('GET', at('nothing'))).json.code).toBe('batch_unknown');
  });

  it('is cancelled as a whole, and what did not run is run again', async () => {
    const vary = [{ field: '2.seconds', values: [60, 0, 0] }];
    const { id } = await make({ workflow_id: 'of colours', vary });
    await expect
      .poll(async () => (await call('GET', at(id))).json.counts.in_progress, { timeout: 15_000 })
      .toBe(1);
    expect((await call('DELETE', at(id))).status).toBe(202);
    const { counts, runs } = await settled(id);
    expect(counts).toMatchObject({ cancelled: 3, completed: 0 });
    // What only waited is known to nobody else.
    expect(runs.map(({ job }: any) => job?.status ?? null)).toEqual(['cancelled', null, null]);
    expect((await call('POST', at(id, '/retry'), {})).json.code).toBe('nothing_to_run');
    await call('POST', '/v1/queue/pause');
    const again = await call('POST', at(id, '/retry'), { status: ['cancelled'] });
    expect([again.status, again.json.counts.pending]).toEqual([202, 3]);
    expect(again.json.runs.map(({ values }: any) => values['2.seconds'])).toEqual([60, 0, 0]);
    expect((await call('DELETE', at(id))).status).toBe(200);
    await call('POST', '/v1/queue/resume');
  });

  it('says which of its runs failed, and runs those again when they can run', async () => {
    const file = (name: string): string => join(base, 'input', name);
    const background = { r: 9, g: 9, b: 9 };
    const png = sharp({ create: { width: 4, height: 4, channels: 3, background } }).png();
    for (const name of ['stays.png', 'goes.png']) await png.toFile(file(name));
    await call('POST', '/v1/queue/pause');
    const { id } = await make({ workflow_id: 'files', csv: 'image\nstays.png\ngoes.png' });
    rmSync(file('goes.png'));
    await call('POST', '/v1/queue/resume');
    const { counts, runs } = await settled(id);
    expect(counts).toMatchObject({ completed: 1, failed: 1 });
    expect(runs[1].job.error).toMatchObject({ node_id: '1', node_type: 'LoadImage' });
    expect((await call('POST', at(id, '/retry'), {})).status).toBe(400);
    await png.toFile(file('goes.png'));
    const again = (await call('POST', at(id, '/retry'), {})).json;
    expect(again.runs[0].job_id).toBe(runs[0].job_id);
    expect(again.runs[1].job_id).not.toBe(runs[1].job_id);
    expect((await settled(id)).counts).toMatchObject({ completed: 2, failed: 0 });
  });

  it('outlives a server that is killed, and the history that forgets its jobs', async () => {
    await call('POST', '/v1/queue/pause');
    const { id } = await make({ workflow_id: 'of colours', count: 3 });
    await server.kill();
    await start([]);
    expect((await call('GET', at(id))).json.counts.pending).toBe(3);
    await call('POST', '/v1/queue/resume');
    expect((await settled(id)).counts.completed).toBe(3);
    await server.post('/history', { clear: true });
    const { counts, runs } = (await call('GET', at(id))).json;
    expect(counts.completed).toBe(3);
    expect(runs[0]).toMatchObject({ status: 'completed', job: null });
    const listed = (await call('GET', '/v1/batches?workflow_id=of%20colours&limit=1')).json;
    expect(listed).toMatchObject({ batches: [{ id, total: 3 }], total: 4 });
  });
});

it('every operation of this part was called with success', () => {
  const uncalled = clients.map((client) => client.uncalled((tag) => tag === 'Batches'));
  expect(uncalled[0].filter((id) => uncalled[1].includes(id))).toEqual([]);
});

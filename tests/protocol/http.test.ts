import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request } from 'node:http';
import { type TestServer, connect, startServer, testingPack } from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- JSON from the wire */

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ packs: [testingPack], flags: ['--max-upload-size', '0.5'] });
});
afterAll(() => server?.stop());

const prompt = (value: number) => ({
  1: { class_type: 'StubConstantImage', inputs: { value, height: 8, width: 8, batch_size: 1 } },
  2: { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
});
const sleeper = {
  ...prompt(0.9),
  3: { class_type: 'TestSleep', inputs: { value: ['1', 0], seconds: 60 } },
  2: { class_type: 'PreviewImage', inputs: { images: ['3', 0] } },
};

/** fetch sets Host and Sec-Fetch headers itself; this does not. */
function raw(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers, body } = options;
    const sent = request(server.url + path, { method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: text }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('generic behaviour', () => {
  it.each(['', '/api'])('has every route under "%s"', async (prefix) => {
    for (const path of ['/prompt', '/queue', '/history', '/system_stats', '/features', '/models']) {
      expect((await server.get(prefix + path)).status, path).toBe(200);
    }
  });

  it.each([
    ['GET', '/api/internal/logs', 404],
    ['GET', '/internal/logs', 200],
    ['GET', '/jobs', 404],
    ['GET', '/api/jobs', 200],
    ['GET', '/nothing/here', 404],
    ['POST', '/nothing/here', 405],
    ['DELETE', '/queue', 405],
    ['HEAD', '/queue', 200],
    ['OPTIONS', '/anything', 200],
    ['GET', '/object_info/NoSuchNode', 200],
  ])('%s %s -> %i', async (method, path, status) => {
    expect((await raw(path, { method })).status).toBe(status);
  });

  it('answers JSON as Python writes it', async () => {
    const { headers, body } = await raw('/prompt');
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(body).toBe('{"exec_info": {"queue_remaining": 0}}');
    expect((await raw('/prompt', { method: 'POST', body: '{"prompt": {"ü": 1}}' })).body).toContain(
      '"details": ""',
    );
  });

  it('does not care for the content type of a body', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', undefined]) {
      const headers: Record<string, string> = type === undefined ? {} : { 'Content-Type': type };
      const { body } = await raw('/prompt', { method: 'POST', body: '{}', headers });
      expect(body).toContain('"no_prompt"');
    }
  });

  it('says what is wrong with a body that is no JSON', async () => {
    const { status, body } = await raw('/prompt', { method: 'POST', body: '{"prompt": ' });
    expect(status).toBe(400);
    const answer = JSON.parse(body);
    expect(answer.error.message).toMatch(/request body: expected JSON/);
    expect(answer.node_errors).toEqual({});
  });

  it('refuses bodies over the limit', async () => {
    const body = `{"prompt": "${'x'.repeat(600_000)}"}`;
    const answer = await raw('/prompt', { method: 'POST', body });
    expect(answer).toMatchObject({
      status: 413,
      body: 'Maximum request body size 524288 exceeded.',
    });
  });

  it('caches object_info by its content', async () => {
    const first = await server.get('/object_info');
    const etag = first.headers.get('etag')!;
    expect(Object.keys((await first.json()) as object)).toContain('KSampler');
    expect((await server.get('/object_info', { headers: { 'If-None-Match': etag } })).status).toBe(
      304,
    );
    const plain = await raw('/object_info', { headers: { 'Accept-Encoding': 'identity' } });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.headers.etag).toBe(etag);
  });
});

describe('origins', () => {
  const host = () => server.url.replace('http://', '');
  it.each([
    ['its own page', () => ({ Origin: server.url }), 200],
    ['another port', () => ({ Origin: 'http://127.0.0.1:1' }), 403],
    [
      'localhost, which is another name',
      () => ({ Origin: `http://localhost:${host().split(':')[1]}` }),
      403,
    ],
    ['another site', () => ({ Origin: 'https://evil.example' }), 403],
    ['a sandboxed frame', () => ({ Origin: 'null' }), 403],
    ['a cross-site request without origin', () => ({ 'Sec-Fetch-Site': 'cross-site' }), 403],
    [
      'another host name that is no name of ours',
      () => ({ Origin: 'https://b.example', Host: 'b.example' }),
      403,
    ],
  ])('%s', async (_, headers, status) => {
    expect((await raw('/queue', { headers: headers() })).status).toBe(status);
  });

  it('are checked for websockets too', async () => {
    await expect(connect(server, { headers: { Origin: 'https://evil.example' } })).rejects.toThrow(
      /403/,
    );
    const client = await connect(server, { path: '/api/ws', headers: { Origin: server.url } });
    await client.close();
  });
});

describe('refused prompts', () => {
  const submit = async (body: object) => {
    const response = await server.post('/prompt', body);
    return { status: response.status, ...((await response.json()) as any) };
  };

  it('no prompt', async () => {
    expect(await submit({})).toEqual({
      status: 400,
      error: {
        type: 'no_prompt',
        message: 'No prompt provided',
        details: 'No prompt provided',
        extra_info: {},
      },
      node_errors: {},
    });
  });

  it.each([
    [{ prompt: [] }, 'invalid_prompt'],
    [{ prompt: { 1: 5 } }, 'invalid_prompt'],
    [{ prompt: prompt(1), number: 'abc' }, 'invalid_number'],
    [{ prompt: prompt(1), prompt_id: '../x' }, 'invalid_prompt_id'],
    [{ prompt: prompt(1), prompt_id: {} }, 'invalid_prompt_id'],
    [{ prompt: prompt(1), partial_execution_targets: [] }, 'prompt_no_outputs'],
  ])('%j', async (body, type) => {
    expect(await submit(body)).toMatchObject({ status: 400, error: { type }, node_errors: {} });
  });

  it('with the error under its node; good outputs run all the same', async () => {
    const bad = { 9: { class_type: 'PreviewImage', inputs: {} } };
    expect(await submit({ prompt: bad })).toMatchObject({
      status: 400,
      error: { type: 'prompt_outputs_failed_validation' },
      node_errors: {
        9: { errors: [{ type: 'required_input_missing' }], dependent_outputs: ['9'] },
      },
    });
    const answer = await submit({ prompt: { ...prompt(0.1), ...bad } });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.node_errors)).toEqual(['9']);
  });

  it('move the counter, and ids of clients are taken as text', async () => {
    const { number } = await submit({ prompt: prompt(0.2) });
    await submit({ prompt: {} });
    const next = await submit({ prompt: prompt(0.2), prompt_id: 12345 });
    expect(next).toMatchObject({ number: number + 2, prompt_id: '12345' });
  });
});

describe('queue and history', () => {
  it('lists, deletes and clears what waits, in heap order', async () => {
    const client = await connect(server);
    const running = 'run-this';
    await server.post('/prompt', { prompt: sleeper, prompt_id: running, client_id: client.sid });
    await client.until(({ type }) => type === 'executing');
    for (const [id, more] of [
      ['c', { number: 7 }],
      ['b', { number: 7 }],
      ['a', { front: true }],
      ['d', { number: 5 }],
    ] as const) {
      const extra_data = { api_key_comfy_org: 'secret' };
      await server.post('/prompt', { prompt: prompt(0.4), prompt_id: id, extra_data, ...more });
    }
    const again = await server.post('/prompt', { prompt: prompt(0.4), prompt_id: 'a' });
    expect(again.status).toBe(409);
    const queue = await server.json('/queue');
    expect(queue.queue_running.map((item: unknown[]) => item[1])).toEqual([running]);
    expect(queue.queue_pending.map((item: unknown[]) => item[1])).toEqual(['a', 'd', 'b', 'c']);
    expect(JSON.stringify(queue)).not.toContain('secret');
    expect(queue.queue_pending[0]).toHaveLength(5);

    expect((await server.post('/queue', { delete: ['d', 'nothing'] })).status).toBe(200);
    expect((await server.json('/prompt')).exec_info.queue_remaining).toBe(4);
    const jobs = await server.json('/api/jobs?status=pending,in_progress&sort_order=asc');
    expect(jobs.jobs.map(({ id, status }: any) => [id, status])).toEqual([
      [running, 'in_progress'],
      ['c', 'pending'],
      ['b', 'pending'],
      ['a', 'pending'],
    ]);
    expect(await (await server.post('/api/jobs/b/cancel', {})).json()).toEqual({ cancelled: true });
    expect(await (await server.post('/api/jobs/b/cancel', {})).json()).toEqual({
      cancelled: false,
    });
    await server.post('/queue', { clear: true });
    expect((await server.json('/queue')).queue_pending).toEqual([]);
    expect(await (await server.post('/api/jobs/cancel', { job_ids: [running] })).json()).toEqual({
      cancelled: true,
    });
    await client.finished(running);
    expect(await server.json(`/api/jobs/${running}`)).toMatchObject({
      id: running,
      status: 'cancelled',
      outputs_count: 0,
      workflow: { extra_data: { client_id: client.sid } },
    });
    await client.close();
  });

  it('pages and forgets the history', async () => {
    await server.post('/history', { clear: true });
    expect(await server.json('/history')).toEqual({});
    const client = await connect(server);
    for (const id of ['h1', 'h2', 'h3', 'h4']) {
      await server.post('/prompt', { prompt: prompt(0.6), prompt_id: id, client_id: client.sid });
      await client.finished(id);
    }
    const page = async (query: string) => Object.keys(await server.json(`/history?${query}`));
    expect(await page('')).toEqual(['h1', 'h2', 'h3', 'h4']);
    expect(await page('max_items=2')).toEqual(['h3', 'h4']);
    expect(await page('max_items=2&offset=1')).toEqual(['h2', 'h3']);
    expect(await page('offset=3')).toEqual(['h4']);
    expect(await page('max_items=0')).toEqual([]);
    expect(await page('max_items=0&offset=0')).toEqual(['h1']);
    expect(await page('max_items=9&offset=9')).toEqual([]);
    expect((await server.get('/history?max_items=abc')).status).toBe(400);
    expect(await server.json('/history/none')).toEqual({});
    const job = await server.json('/api/jobs/h1');
    expect(job).toMatchObject({
      status: 'completed',
      outputs_count: 1,
      previewable_outputs_count: 1,
      preview_output: { nodeId: '2', mediaType: 'images', type: 'temp' },
      execution_status: { status_str: 'success' },
    });
    expect(job.execution_end_time).toBeGreaterThanOrEqual(job.execution_start_time);
    await server.post('/history', { delete: ['h2'] });
    expect(await page('')).toEqual(['h1', 'h3', 'h4']);
    await client.close();
  });

  it.each([
    ['status=done', /Invalid status value\(s\): done\. Valid values: pending, in_progress/],
    ['sort_by=name', /sort_by must be/],
    ['sort_order=up', /sort_order must be/],
    ['limit=0', /limit must be a positive integer/],
    ['limit=x', /limit must be an integer/],
    ['offset=x', /offset must be an integer/],
  ])('refuses /api/jobs?%s', async (query, message) => {
    const response = await server.get(`/api/jobs?${query}`);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: string }).error).toMatch(message);
  });
});

describe('logs', () => {
  it('are kept, shown and sent to those who ask', async () => {
    expect(await server.json('/internal/logs')).toContain('Starting server');
    const { entries } = await server.json('/internal/logs/raw');
    expect(entries[0]).toMatchObject({ t: expect.any(String), m: expect.any(String) });
    expect(Object.keys(await server.json('/internal/folder_paths'))).toContain('checkpoints');
    expect((await server.get('/internal/files/nowhere')).status).toBe(400);
    const client = await connect(server);
    const subscription = await server.get('/internal/logs/subscribe', {
      method: 'PATCH',
      body: JSON.stringify({ clientId: client.sid, enabled: true }),
    });
    expect(subscription.status).toBe(200);
    const [engine] = await server.engines();
    process.kill(engine, 'SIGKILL');
    await server.post('/prompt', { prompt: { ...sleeper }, client_id: client.sid, prompt_id: 'l' });
    await client.until(({ type }) => type === 'executing');
    process.kill((await server.engines())[0], 'SIGKILL');
    const logs: any = await client.until(({ type }) => type === 'logs');
    expect(logs.data.entries[0].m).toMatch(/engine ended/);
    await server.post('/interrupt', {});
    await client.close();
  });
});

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDb } from '../../engine/store/db.ts';
import { type TestServer, connect, startServer, testingPack } from '../support/server.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- JSON from the wire */

let base: string;
let server: TestServer | undefined;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'noodle-restart-'));
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  rmSync(base, { recursive: true, force: true });
});

/** Sleeps, then writes one picture named by `prefix`. */
const job = (prefix: string, seconds: number) => ({
  1: {
    class_type: 'StubConstantImage',
    inputs: { value: 0.5, height: 8, width: 8, batch_size: 1 },
  },
  2: { class_type: 'TestSleep', inputs: { value: ['1', 0], seconds } },
  3: { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: prefix } },
});

const submit = async (prompt: object, more: object = {}): Promise<string> => {
  const response = await server!.post('/prompt', { prompt, ...more });
  expect(response.status).toBe(200);
  return ((await response.json()) as { prompt_id: string }).prompt_id;
};

const isRunning = (id: string) =>
  expect
    .poll(
      async () => (await server!.json('/queue')).queue_running.map((item: unknown[]) => item[1]),
      { timeout: 15_000 },
    )
    .toEqual([id]);

const statusOf = async (id: string): Promise<any> =>
  (await server!.json(`/history/${id}`))[id]?.status;

describe('the server is killed', () => {
  it('runs every accepted prompt after the restart, none twice, with its history', async () => {
    server = await startServer({ base, packs: [testingPack] });
    const done = await submit(job('done', 0));
    await expect
      .poll(() => statusOf(done), { timeout: 15_000 })
      .toMatchObject({ status_str: 'success' });
    const ids = [
      await submit(job('first', 1)),
      await submit(job('second', 0)),
      await submit(job('third', 0), { extra_data: { extra_pnginfo: { workflow: { id: 'w' } } } }),
    ];
    await isRunning(ids[0]);
    const [engine] = await server.engines();
    await server.kill();
    await expect.poll(() => existsSync(`/proc/${engine}`), { timeout: 3000 }).toBe(false);

    const db = openDb(join(base, 'user/noodle.db'));
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    db.close();

    server = await startServer({ base });
    for (const id of ids) {
      await expect
        .poll(() => statusOf(id), { timeout: 15_000 })
        .toMatchObject({ status_str: 'success' });
    }
    expect(Object.keys(await server.json('/history'))).toEqual([done, ...ids]);
    expect(await server.json('/queue')).toEqual({ queue_running: [], queue_pending: [] });
    expect(readdirSync(join(base, 'output')).sort()).toEqual(
      ['done', 'first', 'second', 'third'].map((name) => `${name}_00001_.png`),
    );
    const { number } = (await (
      await server.post('/prompt', { prompt: job('after', 0) })
    ).json()) as { number: number };
    expect(number).toBe(4);
  }, 40_000);
});

describe('the server is stopped', () => {
  it('leaves what runs and waits to the next one, any number of times', async () => {
    let ids: string[] = [];
    for (let round = 0; round < 3; round++) {
      server = await startServer({ base, packs: round === 0 ? [testingPack] : [] });
      if (round === 0) ids = [await submit(job('long', 2)), await submit(job('next', 0))];
      await isRunning(ids[0]);
      await server.stop();
    }
    server = await startServer({ base });
    for (const id of ids) {
      await expect
        .poll(() => statusOf(id), { timeout: 15_000 })
        .toMatchObject({ status_str: 'success' });
    }
  }, 40_000);
});

describe('the engine is killed', () => {
  it('runs a prompt once more that left no traces, and the next after it', async () => {
    server = await startServer({ base, packs: [testingPack] });
    const client = await connect(server);
    const id = await submit(job('again', 0.7), { client_id: client.sid });
    const next = await submit(job('next', 0), { client_id: client.sid });
    await client.until((m) => m.type === 'executing' && 'data' in m && m.data.node === '2');
    const [engine] = await server.engines();
    process.kill(engine, 'SIGKILL');
    await client.finished(id);
    await client.finished(next);
    expect(await statusOf(id)).toMatchObject({ status_str: 'success' });
    expect(client.messages.filter(({ type }) => type === 'execution_start')).toHaveLength(3);
    expect(readdirSync(join(base, 'output')).sort()).toEqual([
      'again_00001_.png',
      'next_00001_.png',
    ]);
    expect(await server.engines()).not.toContain(engine);
    await client.close();
  }, 30_000);

  it('reports a prompt that had written files, and runs the next', async () => {
    server = await startServer({ base, packs: [testingPack] });
    const client = await connect(server);
    const prompt = {
      ...job('late', 30),
      // An output that is written before the sleep.
      4: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'early' } },
    };
    const id = await submit(prompt, { client_id: client.sid });
    const next = await submit(job('next', 0), { client_id: client.sid });
    await client.until((m) => m.type === 'executed' && 'data' in m && m.data.node === '4');
    await client.until((m) => m.type === 'executing' && 'data' in m && m.data.node === '2');
    process.kill((await server.engines())[0], 'SIGKILL');
    await client.finished(id);
    await client.finished(next);
    const { [id]: entry } = await server.json(`/history/${id}`);
    expect(entry.status.status_str).toBe('error');
    const [event, data] = entry.status.messages.at(-1);
    expect(event).toBe('execution_error');
    expect(data).toMatchObject({ node_id: '2', node_type: 'TestSleep', executed: ['4'] });
    expect(data.exception_message).toMatch(/engine process ended \(SIGKILL\)/);
    expect(entry.outputs['4'].images[0].filename).toBe('early_00001_.png');
    expect(await statusOf(next)).toMatchObject({ status_str: 'success' });
    await client.close();
  }, 30_000);

  it('renews the engine for free_memory, with empty caches', async () => {
    server = await startServer({ base, packs: [testingPack] });
    const client = await connect(server);
    await client.finished(await submit(job('a', 0), { client_id: client.sid }));
    const [before] = await server.engines();
    expect((await server.post('/free', { free_memory: true })).status).toBe(200);
    client.messages.length = 0;
    await client.finished(await submit(job('a', 0), { client_id: client.sid }));
    const cached: any = await client.until(({ type }) => type === 'execution_cached');
    expect(cached.data.nodes).toEqual([]);
    expect(await server.engines()).not.toContain(before);
    await client.close();
  }, 30_000);

  it('ends an engine that does not obey an interrupt', async () => {
    server = await startServer({ base, packs: [testingPack], flags: ['--interrupt-grace', '0.3'] });
    const client = await connect(server);
    const id = await submit(job('stuck', 60), { client_id: client.sid });
    await client.until((m) => m.type === 'executing' && 'data' in m && m.data.node === '2');
    // A stopped process stands for native code that never looks up.
    const [engine] = await server.engines();
    process.kill(engine, 'SIGSTOP');
    await server.post('/interrupt', {});
    await client.finished(id);
    const { messages } = await statusOf(id);
    expect(messages.at(-1)[0]).toBe('execution_interrupted');
    await client.close();
  }, 30_000);
});

describe('two servers', () => {
  it('do not share a queue', async () => {
    server = await startServer({ base });
    await expect(startServer({ base })).rejects.toThrow(/in use by another server/);
  }, 20_000);
});

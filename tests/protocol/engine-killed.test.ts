/** An engine that is killed, renewed or does not obey: the server, one for all tests here, goes on. */
import { readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryBeside } from '../../engine/store/write.ts';
import { type TestServer, connect, startServer, testingPack } from '../support/server.ts';
import { job, statusOn, submitTo } from './sleeping-job.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call -- JSON from the wire */

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ packs: [testingPack], flags: ['--interrupt-grace', '0.3'] });
});
afterAll(() => server?.stop());

describe('the engine is killed', () => {
  it('runs a prompt once more that left no traces, and the next after it', async () => {
    const client = await connect(server);
    const id = await submitTo(server, job('again', 0.7), { client_id: client.sid });
    const next = await submitTo(server, job('next', 0), { client_id: client.sid });
    await client.until((m) => m.type === 'executing' && 'data' in m && m.data.node === '2');
    const [engine] = await server.engines();
    process.kill(engine, 'SIGKILL');
    await client.finished(id);
    await client.finished(next);
    expect(await statusOn(server, id)).toMatchObject({ status_str: 'success' });
    expect(client.messages.filter(({ type }) => type === 'execution_start')).toHaveLength(3);
    expect(readdirSync(join(server.base, 'output')).sort()).toEqual([
      'again_00001_.png',
      'next_00001_.png',
    ]);
    expect(await server.engines()).not.toContain(engine);
    await client.close();
  }, 30_000);

  it('reports a prompt that had written files, and runs the next', async () => {
    const client = await connect(server);
    const prompt = {
      ...job('late', 30),
      // An output that is written before the sleep.
      4: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'early' } },
    };
    const id = await submitTo(server, prompt, { client_id: client.sid });
    const next = await submitTo(server, job('next', 0), { client_id: client.sid });
    await client.until((m) => m.type === 'executed' && 'data' in m && m.data.node === '4');
    await client.until((m) => m.type === 'executing' && 'data' in m && m.data.node === '2');
    const [engine] = await server.engines();
    // What it would leave that dies in the middle of a checkpoint of gigabytes.
    const half = temporaryBeside(join(server.base, 'output/big')).replace(
      `-${process.pid}-`,
      `-${engine}-`,
    );
    writeFileSync(half, 'half');
    process.kill(engine, 'SIGKILL');
    await client.finished(id);
    await client.finished(next);
    const { [id]: entry } = await server.json(`/history/${id}`);
    expect(entry.status.status_str).toBe('error');
    const [event, data] = entry.status.messages.at(-1);
    expect(event).toBe('execution_error');
    expect(data).toMatchObject({ node_id: '2', node_type: 'TestSleep', executed: ['4'] });
    expect(data.exception_message).toMatch(/engine process ended \(SIGKILL\)/);
    expect(entry.outputs['4'].images[0].filename).toBe('early_00001_.png');
    expect(await statusOn(server, next)).toMatchObject({ status_str: 'success' });
    expect(readdirSync(join(server.base, 'output'))).not.toContain(basename(half));
    await client.close();
  }, 30_000);

  it('renews the engine for free_memory, with empty caches', async () => {
    const client = await connect(server);
    await client.finished(await submitTo(server, job('a', 0), { client_id: client.sid }));
    const [before] = await server.engines();
    expect((await server.post('/free', { free_memory: true })).status).toBe(200);
    client.messages.length = 0;
    await client.finished(await submitTo(server, job('a', 0), { client_id: client.sid }));
    const cached: any = await client.until(({ type }) => type === 'execution_cached');
    expect(cached.data.nodes).toEqual([]);
    expect(await server.engines()).not.toContain(before);
    await client.close();
  }, 30_000);

  it('ends an engine that does not obey an interrupt', async () => {
    const client = await connect(server);
    const id = await submitTo(server, job('stuck', 60), { client_id: client.sid });
    await client.until((m) => m.type === 'executing' && 'data' in m && m.data.node === '2');
    // A stopped process stands for native code that never looks up.
    const [engine] = await server.engines();
    process.kill(engine, 'SIGSTOP');
    await server.post('/interrupt', {});
    await client.finished(id);
    const { messages } = await statusOn(server, id);
    expect(messages.at(-1)[0]).toBe('execution_interrupted');
    await client.close();
  }, 30_000);
});

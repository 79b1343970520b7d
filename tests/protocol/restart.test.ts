/** Servers that are killed or stopped, and those that come after them. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDb } from '../../engine/store/db.ts';
import { type TestServer, startServer, testingPack } from '../support/server.ts';
import { job, statusOn, submitTo } from './sleeping-job.ts';

/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- JSON from the wire */

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

const submit = (prompt: object, more: object = {}) => submitTo(server!, prompt, more);

const isRunning = (id: string) =>
  expect
    .poll(
      async () => (await server!.json('/queue')).queue_running.map((item: unknown[]) => item[1]),
      { timeout: 15_000 },
    )
    .toEqual([id]);

const statusOf = (id: string) => statusOn(server!, id);

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

describe('two servers', () => {
  it('do not share a queue', async () => {
    server = await startServer({ base });
    await expect(startServer({ base })).rejects.toThrow(/in use by another server/);
  }, 20_000);
});

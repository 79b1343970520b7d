/** Several engines on one queue, and devices that are not there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TYPESCRIPT } from '../../engine/threads.ts';
import { type TestServer, startServer, testingPack } from '../support/server.ts';
import { job, statusOn, submitTo } from './sleeping-job.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- JSON from the wire */

describe('two engines', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({
      packs: [testingPack],
      flags: ['--device', 'cpu', '--device', 'cpu', '--memory-budget', '2'],
    });
  });
  afterAll(() => server?.stop());

  const processor = async (): Promise<any> =>
    (await server.json('/v1/devices')).devices.find(({ id }: { id: string }) => id === 'cpu');
  const states = async (): Promise<string[]> =>
    (await processor()).engines.map(({ state }: { state: string }) => state);

  it('run jobs at the same time, and tell which runs where', async () => {
    await expect.poll(states, { timeout: 20_000 }).toEqual(['idle', 'idle']);
    const jobs = [await submitTo(server, job('a', 60)), await submitTo(server, job('b', 60))];
    const third = await submitTo(server, job('c', 0));
    await expect.poll(states, { timeout: 20_000 }).toEqual(['busy', 'busy']);
    const { engines } = await processor();
    expect(engines.map(({ job_id }: { job_id: string }) => job_id).sort()).toEqual(jobs.sort());
    await server.post('/interrupt', { prompt_id: jobs[0] });
    await expect
      .poll(() => statusOn(server, third), { timeout: 20_000 })
      .toMatchObject({ status_str: 'success' });
    await expect.poll(states, { timeout: 20_000 }).toContain('idle');
    expect(await states()).toContain('busy');
    await server.post('/interrupt', {});
    await expect.poll(states, { timeout: 20_000 }).toEqual(['idle', 'idle']);
  }, 60_000);

  it('are one device, whose memory they share', async () => {
    const { devices } = await server.json('/system_stats');
    expect(devices).toEqual([
      {
        name: expect.stringMatching(/^cpu .* : fp32$/) as string,
        type: 'cpu',
        index: null,
        vram_total: expect.any(Number) as number,
        vram_free: expect.any(Number) as number,
        torch_vram_total: expect.any(Number) as number,
        torch_vram_free: expect.any(Number) as number,
      },
    ]);
    expect(await processor()).toMatchObject({
      kind: 'cpu',
      type: 'cpu',
      precision: 'fp32',
      memory_budget: 2 * 2 * 2 ** 30,
      memory_used: 0,
      memory_streamed: 0,
      problem: null,
    });
  });

  it('go on when one of them dies', async () => {
    const [first] = await server.engines();
    process.kill(first, 'SIGKILL');
    const id = await submitTo(server, job('d', 0));
    await expect
      .poll(() => statusOn(server, id), { timeout: 20_000 })
      .toMatchObject({ status_str: 'success' });
    await expect.poll(states, { timeout: 20_000 }).toEqual(['idle', 'idle']);
  }, 60_000);
});

const ended = async (...flags: string[]): Promise<{ code: number; stderr: string }> => {
  const server = fileURLToPath(new URL('../../server.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    [
      '--import',
      TYPESCRIPT,
      server,
      '--port',
      '0',
      '--database-url',
      'sqlite:///:memory:',
      ...flags,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, stderr };
};

describe('a start that asks for what is not there ends with what to do', () => {
  it.each([
    [['--device', 'gpu'], /device 'gpu': expected auto, cpu, webgpu\[:N\], cuda\[:N\]/],
    [['--device', 'webgpu:99'], /device 'webgpu:99': (there is none of this number|no graphics)/],
  ])('%s', async (flags, message) => {
    const { code, stderr } = await ended(...flags);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

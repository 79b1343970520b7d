/**
 * The server as its clients feel it, measured over real HTTP and websockets against a server in a
 * process of its own: start-up, prompts, cached prompts, listings, many prompts, many clients.
 *
 *     node --import ./bin/typescript.js bench/server.ts
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, startServer, testingPack } from '../tests/support/server.ts';
import type { Client, TestServer } from '../tests/support/server.ts';
import { type Prompt, chain, submit, untilFirstAnswer } from './trivial.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const base = mkdtempSync(join(tmpdir(), 'noodle-bench-'));
mkdirSync(join(base, 'models'));
symlinkSync(join(root, 'models/checkpoints'), join(base, 'models/checkpoints'));

const report = (name: string, figure: string, target: string): void =>
  console.log(`${name.padEnd(52)} ${figure.padStart(22)}   target ${target}`);
const ms = (value: number): string => `${value.toFixed(1)} ms`;
const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))];

async function timed<T>(action: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const begin = performance.now();
  const value = await action();
  return { ms: performance.now() - begin, value };
}

/** The sample workflow of the embedded checkpoint with another seed and number of steps. */
async function picture(seed: number, steps: number): Promise<Prompt> {
  const file = join(root, 'tests/golden/data/samples/02-red-circle.json');
  const prompt = JSON.parse(await readFile(file, 'utf8')) as Prompt;
  Object.assign(prompt['3'].inputs, { seed, steps });
  return prompt;
}

async function waitIdle(server: TestServer): Promise<void> {
  for (;;) {
    const { exec_info: info } = (await server.json('/prompt')) as {
      exec_info: { queue_remaining: number };
    };
    if (info.queue_remaining === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function residentMiB(server: TestServer): Promise<number> {
  const pids = [server.process.pid!, ...(await server.engines())];
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'VmRSS: 0 kB');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function startUp(): Promise<void> {
  const times = [];
  for (let i = 0; i < 5; i++) {
    const { milliseconds, server } = await untilFirstAnswer(() => startServer({ base }));
    times.push(milliseconds);
    await server.stop();
  }
  report('start to the first /system_stats (median of 5)', ms(quantile(times, 0.5)), '1000 ms');
}

async function prompts(server: TestServer, client: Client): Promise<void> {
  let start = 0;
  await client.finished(await submit(server, chain(100, start++), client));
  const posts = [];
  for (let i = 0; i < 20; i++) {
    const { ms: time, value: id } = await timed(() => submit(server, chain(100, start++), client));
    posts.push(time);
    await client.finished(id);
  }
  report('POST /prompt, 100 nodes (median of 20)', ms(quantile(posts, 0.5)), '5 ms');

  for (const count of [10, 100, 500, 2000]) {
    const times = [];
    for (let i = 0; i < 5; i++) {
      const run = await timed(async () =>
        client.finished(await submit(server, chain(count, start++), client)),
      );
      times.push(run.ms);
    }
    const time = quantile(times, 0.5);
    const each = `${ms(time)} = ${(time / count).toFixed(2)} ms/node`;
    report(`new chain of ${count}, POST to the closing message`, each, '0.3 ms/node');
  }
  const same = chain(500, start++);
  await client.finished(await submit(server, same, client));
  const cached = [];
  for (let i = 0; i < 5; i++) {
    const run = await timed(async () => client.finished(await submit(server, same, client)));
    cached.push(run.ms);
  }
  report('cached chain of 500', ms(quantile(cached, 0.5)), '100 ms (ComfyUI: 7.6 s)');

  const count = 1000;
  const { ms: total } = await timed(async () => {
    let next = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (next < count) await submit(server, chain(3, 1_000_000 + next++));
      }),
    );
    await waitIdle(server);
  });
  const rate = (count / total) * 1000;
  report(`${count} trivial prompts, sustained`, `${rate.toFixed(0)} prompts/s`, '200 prompts/s');
}

async function listings(server: TestServer): Promise<void> {
  await server.get('/object_info');
  const times = [];
  for (let i = 0; i < 20; i++) {
    const { ms: time } = await timed(async () =>
      (await server.get('/object_info', { headers: { 'accept-encoding': 'gzip' } })).arrayBuffer(),
    );
    times.push(time);
  }
  report('GET /object_info (median of 20)', ms(quantile(times, 0.5)), '10 ms');
}

async function whileSampling(server: TestServer, client: Client): Promise<void> {
  await client.finished(await submit(server, await picture(1, 20), client));
  const { ms: time } = await timed(async () =>
    client.finished(await submit(server, await picture(2, 20), client)),
  );
  report('a picture of the default model, 20 steps', ms(time), '-');

  const id = await submit(server, await picture(3, 400), client);
  const queue: number[] = [];
  let done = false;
  void client.finished(id, 120_000).then(() => (done = true));
  while (!done) {
    queue.push((await timed(async () => (await server.get('/queue')).arrayBuffer())).ms);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const figure = `p50 ${ms(quantile(queue, 0.5))}, p99 ${ms(quantile(queue, 0.99))}`;
  report(`GET /queue while sampling (${queue.length} requests)`, figure, 'p99 50 ms');
}

async function manyClients(server: TestServer, client: Client): Promise<void> {
  const before = await residentMiB(server);
  const clients = await Promise.all(
    Array.from({ length: 1000 }, () =>
      connect(server, { flags: { supports_preview_metadata: true } }),
    ),
  );
  // Without a client id previews go to everybody.
  const id = await submit(server, await picture(4, 60));
  const { ms: time } = await timed(async () => {
    await clients[0].until(
      (message) =>
        message.type === 'status' && 'data' in message && clients[0].messages.length > 60,
      60_000,
    );
    await waitIdle(server);
  });
  const after = await residentMiB(server);
  report(
    '1000 clients watching 60 steps with previews',
    `${ms(time)}, +${(after - before).toFixed(0)} MiB`,
    'bounded memory',
  );
  await Promise.all(clients.map((each) => each.close()));
  void id;
  void client;
}

async function memory(server: TestServer, client: Client): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await client.finished(await submit(server, await picture(100 + i, 4), client));
  }
  const before = await residentMiB(server);
  for (let i = 0; i < 100; i++) {
    await client.finished(await submit(server, await picture(200 + i, 4), client));
  }
  const after = await residentMiB(server);
  const figure = `${before.toFixed(0)} -> ${after.toFixed(0)} MiB`;
  report('memory of server and engine over 100 pictures', figure, 'flat');
}

try {
  await startUp();
  const server = await startServer({
    base,
    packs: [testingPack],
    flags: ['--preview-method', 'latent2rgb'],
  });
  try {
    const client = await connect(server, { flags: { supports_preview_metadata: true } });
    await prompts(server, client);
    await listings(server);
    await whileSampling(server, client);
    await memory(server, client);
    await manyClients(server, client);
    await client.close();
  } finally {
    await server.stop();
  }
} finally {
  rmSync(base, { recursive: true, force: true });
}

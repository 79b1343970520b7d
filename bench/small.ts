/**
 * What small things cost when client, server and engine share the machine: start to the first answer,
 * one trivial prompt, chains of new trivial nodes from POST to the closing message. Each figure is the
 * least and the median of many runs; give the root of another checkout to measure that one (both in
 * the same minute, taking turns, make a pair that can be compared). Processor time is that of all
 * threads of a process; it says the same on a busy machine.
 *
 *     node --import ./bin/typescript.js bench/small.ts [ROOT] [STARTS]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type * as Support from '../tests/support/server.ts';
import type { Client, TestServer } from '../tests/support/server.ts';
import { chain, submit, untilFirstAnswer } from './trivial.ts';

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
const support = (await import(join(root, 'tests/support/server.ts'))) as typeof Support;
const base = mkdtempSync(join(tmpdir(), 'noodle-small-'));

const STARTS = Number(process.argv[3] ?? 5);

let fresh = 1;

const print = (name: string, times: number[]): void => {
  times.sort((a, b) => a - b);
  const [least, median] = [times[0], times[times.length >> 1]];
  console.log(
    `${name.padEnd(44)} least ${least.toFixed(1).padStart(7)} ms  median ${median.toFixed(1).padStart(7)} ms  (${times.length})`,
  );
};

/** Milliseconds of processor time that a process has used so far, in ticks of 10 (Linux). */
function cpu(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return NaN;
  }
}

async function startUp(): Promise<void> {
  const answered: number[] = [];
  const ready: number[] = [];
  const used: [answered: number[], ready: number[]] = [[], []];
  for (let i = 0; i < STARTS; i++) {
    const begin = performance.now();
    const { milliseconds, server } = await untilFirstAnswer(() => support.startServer({ base }));
    answered.push(milliseconds);
    used[0].push(cpu(server.process.pid!));
    await server.get('/object_info');
    used[1].push(cpu(server.process.pid!));
    ready.push(performance.now() - begin);
    await server.stop();
  }
  print('start to the first /system_stats', answered);
  print('  processor time of the server until then', used[0]);
  print('start to the first /object_info', ready);
  print('  processor time of the server until then', used[1]);
}

async function prompts(server: TestServer, client: Client): Promise<void> {
  for (const [length, times] of [
    [2, 60],
    [100, 30],
    [500, 15],
  ] as const) {
    const taken: number[] = [];
    const [engine] = await server.engines();
    const pids = [server.process.pid!, engine];
    const before = pids.map(cpu);
    for (let i = 0; i < times; i++) {
      const prompt = chain(length, fresh++);
      const begin = performance.now();
      await client.finished(await submit(server, prompt, client));
      taken.push(performance.now() - begin);
      client.messages.length = 0;
    }
    print(`new chain of ${length}, POST to the closing message`, taken);
    const each = pids.map((pid, i) => ((cpu(pid) - before[i]) / times).toFixed(1));
    console.log(`  processor time of each: server ${each[0]} ms, engine ${each[1]} ms`);
  }
}

try {
  console.log(`${root}: load ${loadavg()[0].toFixed(1)}`);
  if (STARTS > 0) await startUp();
  const server = await support.startServer({ base, packs: [support.testingPack] });
  try {
    const client = await support.connect(server);
    await client.finished(await submit(server, chain(2, fresh++), client));
    await prompts(server, client);
    await client.close();
  } finally {
    await server.stop();
  }
} finally {
  rmSync(base, { recursive: true, force: true });
}

/** Asks a process what it can do with a kind of device; whatever becomes of it, there is an answer in time. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TYPESCRIPT } from '../../threads.ts';
import type { DeviceKind } from '../providers.ts';
import type { Attempt, ProbeTask } from './probe-process.ts';

export interface Probe {
  /** Those that the task was computed in. */
  readonly precisions: readonly string[];
  /** Why there are none, or not all. */
  readonly problem?: string;
  /** What libraries and drivers wrote beside. */
  readonly said: string;
}

/** Milliseconds a driver gets: the first shader of a cold machine takes seconds. */
const LIMIT = 30_000;

/** Characters of what drivers write that are kept. */
const LONGEST = 200_000;

/** Tries a kind of device in a process with this environment beside ours. Never throws. */
export function probe(
  kind: DeviceKind,
  environment: Readonly<Record<string, string>> = {},
  task: ProbeTask = 'sum',
  limit = LIMIT,
): Promise<Probe> {
  const main = fileURLToPath(new URL('./probe-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', TYPESCRIPT, main, kind, task], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limit,
    killSignal: 'SIGKILL',
  });
  const began = Date.now();
  let [told, said] = ['', ''];
  child.stdout.on('data', (text: Buffer) => (told += text.toString()));
  child.stderr.on('data', (text: Buffer) => {
    if (said.length < LONGEST) said += text.toString();
  });
  return new Promise((resolve) => {
    const answer = (end?: string): void => {
      const attempts = told.split('\n').filter((line) => line.startsWith('{'));
      const known = attempts.map((line) => JSON.parse(line) as Attempt);
      resolve({
        precisions: known.flatMap(({ precision, problem }) =>
          problem === undefined ? [precision] : [],
        ),
        problem: known.find(({ problem }) => problem !== undefined)?.problem ?? end,
        said,
      });
    };
    child.on('error', (error) => answer(error.message));
    child.on('close', (code, signal) => {
      if (code === 0) return answer();
      const late = Date.now() - began >= limit;
      answer(
        late
          ? `its driver did not answer within ${limit / 1000} s`
          : `trying it ended the process (${signal ?? `exit code ${code}`})`,
      );
    });
  });
}

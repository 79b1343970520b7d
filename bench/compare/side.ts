/** One side of a comparison: a process that is asked a task a line and answers with what it took. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

export interface Taken {
  /** Milliseconds. */
  readonly wall: number;
  /** Milliseconds of processor time of all threads. */
  readonly cpu: number;
  /** Most bytes that were resident so far. */
  readonly peak: number;
  /** Most bytes of the device so far, where the side knows. */
  readonly device?: number;
}

export interface Side {
  /** Throws with the side's own message when it fails or ends, or after `limit` milliseconds. */
  readonly ask: (task: string, limit?: number) => Promise<Taken>;
  readonly end: () => Promise<void>;
}

export function startSide(
  command: string,
  args: readonly string[],
  { cwd, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Side {
  const options = { cwd, env: { ...process.env, ...env } };
  const child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error));
  failed.catch(() => undefined); // told to whoever asks
  child.stdin.on('error', () => undefined);
  const lines: AsyncIterator<string, undefined> = createInterface({ input: child.stdout })[
    Symbol.asyncIterator
  ]();
  const answer = async (task: string): Promise<Taken> => {
    child.stdin.write(`${task}\n`);
    const { value } = await Promise.race([lines.next(), failed]);
    if (value === undefined) throw new Error(`${command} ended during '${task}'`);
    const said = JSON.parse(value) as Taken | { readonly error: string };
    if ('error' in said) throw new Error(said.error);
    return said;
  };
  return {
    ask: async (task, limit) => {
      if (limit === undefined) return answer(task);
      const stop = new AbortController();
      const late = delay(Math.max(limit, 0), undefined, { signal: stop.signal }).then(() => {
        child.kill('SIGKILL');
        throw new Error(`'${task}' had not ended when the time for this run was over`);
      });
      late.catch(() => undefined);
      try {
        return await Promise.race([answer(task), late]);
      } finally {
        stop.abort();
      }
    },
    end: async () => {
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

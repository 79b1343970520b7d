/** One engine as a child process; the dispatcher sees only messages and the end. */
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EngineSettings } from '../config.ts';
import type { FromEngine, ToEngine } from '../engine/messages.ts';

export interface EngineLink {
  readonly pid: number | undefined;
  send(message: ToEngine): void;
  /** Ends the process without asking. */
  kill(): void;
}

export interface EngineEvents {
  message(message: FromEngine): void;
  /** The process ended; `how` tells the exit code or signal. Comes once, after all messages. */
  exit(how: string): void;
}

export type StartEngine = (events: EngineEvents) => EngineLink;

/** Starts engine processes with these settings; what they print goes to the log. */
export function engineStarter(
  settings: EngineSettings,
  log: (level: string, text: string) => void,
): StartEngine {
  const main = fileURLToPath(new URL('../engine/main.ts', import.meta.url));
  return (events) => {
    const child = fork(main, [JSON.stringify(settings)], {
      execArgv: ['--import', import.meta.resolve('tsx')],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => log('INFO', line));
    }
    let over = false;
    const end = (how: string): void => {
      if (over) return;
      over = true;
      events.exit(how);
    };
    child.on('message', (message) => events.message(message as FromEngine));
    child.on('error', (error) => end(error.message));
    child.on('close', (code, signal) => end(signal ?? `exit code ${code}`));
    return {
      pid: child.pid,
      send: (message) => {
        // A process that is ending cannot be told anything any more; its exit follows.
        if (child.connected) child.send(message, () => undefined);
      },
      kill: () => void child.kill('SIGKILL'),
    };
  };
}

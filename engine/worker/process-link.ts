/** The link to an engine that is a child process. */
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EngineSettings } from '../config.ts';
import type { Log } from '../log.ts';
import { TYPESCRIPT } from '../threads.ts';
import type { StartEngine } from './link.ts';
import type { FromEngine, ToEngine } from './messages.ts';
import { printedLine } from './printed-line.ts';

/** Which node packs engines load. */
export interface EnginePacks {
  /** Paths of packs; asked at every start. */
  loadable(): Promise<readonly string[]>;
  /** An engine ended, or had to be ended, while it was loading this pack. */
  blame(path: string, how: string): void;
}

/** Milliseconds one pack may take to load. */
const IMPORT_LIMIT = 30_000;

/** Starts engine processes with these settings; what they print goes to the log. */
export function engineStarter(settings: EngineSettings, packs: EnginePacks, log: Log): StartEngine {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  return (events) => {
    const child = fork(main, [JSON.stringify(settings)], {
      execArgv: ['--import', TYPESCRIPT],
      env: { ...process.env, ...settings.device?.environment },
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => log(...printedLine(line)));
    }
    let over = false;
    let loading: string | undefined;
    let hung = false;
    let wasKilled = false;
    let timer: NodeJS.Timeout | undefined;
    const nowLoading = (path: string | undefined): void => {
      clearTimeout(timer);
      loading = path;
      if (path === undefined) return;
      timer = setTimeout(() => {
        hung = true;
        child.kill('SIGKILL');
      }, IMPORT_LIMIT);
    };
    const end = (how: string): void => {
      if (over) return;
      over = true;
      if (loading !== undefined && !wasKilled) {
        const reason = hung ? `loading it took longer than ${IMPORT_LIMIT / 1000} s` : how;
        packs.blame(loading, reason);
      }
      nowLoading(undefined);
      events.exit(how);
    };
    const receive = (message: FromEngine): void => {
      if (message.type === 'loading') return nowLoading(message.path);
      if (message.type === 'ready') nowLoading(undefined);
      events.message(message);
    };
    const send = (message: ToEngine): void => {
      // A process that is ending cannot be told anything any more; its exit follows.
      if (child.connected) child.send(message, () => undefined);
    };
    const inbox: FromEngine[] = [];
    let waits = false;
    /** The end of a job is written to the disk: what was said before it reaches clients meanwhile. */
    const deliver = (): void => {
      while (!waits && inbox.length > 0) {
        waits = inbox[0].type === 'done';
        if (waits) setImmediate(deliverLast);
        else receive(inbox.shift()!);
      }
    };
    const deliverLast = (): void => {
      if (!waits) return;
      waits = false;
      receive(inbox.shift()!);
      deliver();
    };
    child.on('message', (messages) => {
      inbox.push(...(messages as FromEngine[]));
      deliver();
    });
    child.on('error', (error) => end(error.message));
    child.on('close', (code, signal) => {
      while (inbox.length > 0) {
        deliverLast();
        deliver();
      }
      end(signal ?? `exit code ${code}`);
    });
    // The engine reads its own code meanwhile.
    packs.loadable().then(
      (paths) => send({ type: 'packs', paths }),
      () => send({ type: 'packs', paths: [] }),
    );
    return {
      pid: child.pid,
      send,
      kill: () => {
        wasKilled = true;
        child.kill('SIGKILL');
      },
    };
  };
}

/** The pack process as its server sees it: it is started, loads packs, answers, or ends. */
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FolderSettings } from '../config.ts';
import type { Log } from '../log.ts';
import { PythonError } from '../python/error.ts';
import { TYPESCRIPT } from '../threads.ts';
import type { FromPacks, ToPacks } from './messages.ts';

type Loaded = FromPacks & { readonly type: 'loaded' };
type Problem = (FromPacks & { readonly type: 'problem' })['problem'];

/** How loading ended. */
export type LoadOutcome =
  | Loaded
  /** The process ended, or had to be ended; `path` is the pack that was being loaded. */
  | { readonly type: 'died'; readonly path: string | undefined; readonly how: string };

type Unasked<T> = T extends { readonly id: number } ? Omit<T, 'id'> : never;
/** What may be asked. */
export type Question = Unasked<ToPacks>;

export interface PackChild {
  /** Settles once, also when the process ends. */
  readonly loaded: Promise<LoadOutcome>;
  /** The answer, encoded; rejects with what the pack threw, or when there is none in time. */
  ask(question: Question): Promise<unknown>;
  isAlive(): boolean;
  kill(): void;
}

export interface PackChildOptions {
  readonly folders: FolderSettings;
  readonly paths: readonly string[];
  /** Names that are taken. */
  readonly builtin: Promise<readonly string[]>;
  /** Milliseconds one pack may take to load. */
  readonly importLimit: number;
  /** Milliseconds an answer may take. */
  readonly answerLimit: number;
  readonly onProblem: (problem: Problem) => void;
  readonly onEnd: (how: string) => void;
  readonly log: Log;
}

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Starts a pack process; it goes on loading by itself. */
export function startPackChild(options: PackChildOptions): PackChild {
  const { importLimit, answerLimit, log } = options;
  const main = fileURLToPath(new URL('./pack-process.ts', import.meta.url));
  const child = fork(main, [JSON.stringify(options.folders)], {
    execArgv: ['--import', TYPESCRIPT],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const asked = new Map<number, Asked>();
  let nextId = 1;
  let isLoaded = false;
  let loading: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  /** Why we ended it, when we did. */
  let killedFor: string | undefined;
  let over = false;
  let settle: (outcome: LoadOutcome) => void = () => undefined;
  const loaded = new Promise<LoadOutcome>((resolve) => (settle = resolve));

  const send = (message: ToPacks): void => {
    if (child.connected) child.send(message, () => undefined);
  };
  const kill = (reason?: string): void => {
    killedFor ??= reason;
    child.kill('SIGKILL');
  };
  const receive = (message: FromPacks): void => {
    switch (message.type) {
      case 'loading':
        loading = message.path;
        clearTimeout(timer);
        timer = setTimeout(
          () => kill(`loading it took longer than ${importLimit / 1000} s`),
          importLimit,
        );
        return;
      case 'loaded':
        clearTimeout(timer);
        isLoaded = true;
        return settle(message);
      case 'problem':
        return options.onProblem(message.problem);
      default: {
        const question = asked.get(message.id);
        if (question === undefined) return;
        asked.delete(message.id);
        clearTimeout(question.timer);
        if (message.type === 'answer') question.resolve(message.value);
        else question.reject(thrown(message.error));
      }
    }
  };
  const end = (how: string): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    const reason = killedFor ?? `it ended its process (${how})`;
    settle({ type: 'died', path: loading, how: reason });
    for (const { reject, timer: limit } of asked.values()) {
      clearTimeout(limit);
      reject(new Error(`the pack process gave no answer: ${reason}`));
    }
    asked.clear();
    options.onEnd(reason);
  };

  // Packs are loaded in engines too, and say the same there.
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', (line) => log(isLoaded ? 'INFO' : 'DEBUG', line));
  }
  child.on('message', (message) => receive(message as FromPacks));
  child.on('error', (error) => end(error.message));
  child.on('close', (code, signal) => end(signal ?? `exit code ${code}`));
  void options.builtin.then((builtin) => send({ type: 'load', paths: options.paths, builtin }));

  return {
    loaded,
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (over) return reject(new Error('the pack process has ended'));
        const id = nextId++;
        const limit = setTimeout(
          () => kill(`no answer within ${answerLimit / 1000} s`),
          answerLimit,
        );
        asked.set(id, { resolve, reject, timer: limit });
        send({ ...question, id });
      }),
    isAlive: () => !over && killedFor === undefined,
    kill: () => kill('the server ended it'),
  };
}

/** What a pack's code threw, as it would look had it been thrown here. */
function thrown({ type, message, stack }: { type: string; message: string; stack?: string }) {
  const error = new PythonError(type, message);
  if (stack !== undefined) error.stack = stack;
  return error;
}

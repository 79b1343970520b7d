/**
 * The queue: ComfyUI's order and rules over a store that survives the process. Only numbers and ids
 * are kept in memory; prompts stay on the disk until they are asked for.
 */
import type { EngineJob } from '../worker/messages.ts';
import { NoodleError } from '../errors.ts';
import { type Json, parseJson, stringifyJson } from '../workflow/lossless-json.ts';
import { failedResult } from './results.ts';
import type { FinishedJob, History, Job, JobFilter, JobResult, JobStore, NewJob } from './store.ts';
import { numberBetween, numberedBelow } from './places.ts';
import { type WaitingJob, createWaitingLine } from './waiting-line.ts';

/** A job that was started this often and never came to an end is not started again. */
const MAX_ATTEMPTS = 2;

/** Dropped jobs that can be brought back. */
const MOST_DROPPED = 50;

/** Credentials of a prompt, by extra_data key. */
export type Secrets = Readonly<Record<string, Json>>;

export interface Submission extends Omit<NewJob, 'createdAt' | 'needsSecrets'> {
  readonly secrets?: Secrets;
  /** Some node of the prompt asks for the secrets. */
  readonly asksForSecrets?: boolean;
}

/** Who is told what becomes of the queue. */
export interface QueueWatcher {
  /** After every change of what waits and runs, after every start, and with a pause and its end. */
  changed?(): void;
  /** These jobs neither wait nor run any more: finished (and in the history), or dropped. */
  left?(ids: readonly string[]): void;
}

export interface Queue {
  /** The next submission number; `front` makes it run before everything that waits. */
  nextNumber(front: boolean): number;
  /** Throws DUPLICATE_JOB when a job of this id waits or runs. */
  submit(job: Submission): void;
  /** Marks the next job as running; undefined when nothing waits or the queue is paused. */
  take(): EngineJob | undefined;
  /** Stores the result of a running job. */
  finish(id: string, result: JobResult): void;
  /** Puts a running job back; false (and the job stays running) when it had its attempts. */
  requeue(id: string): boolean;
  /** Leaves a running job to the next server: this one ends on purpose, so the attempt is not counted. */
  putBack(id: string): void;
  /** Waiting and running jobs. */
  remaining(): number;
  /** How many jobs run and wait, without looking at them. */
  counts(): { readonly running: number; readonly pending: number };
  running(): Job[];
  /** Waiting jobs in heap order, as ComfyUI lists them. */
  pending(): Job[];
  /** The first `count` waiting jobs in the order they will run. */
  next(count: number): Job[];
  /** How many waiting jobs run before this one; undefined when it does not wait. */
  position(id: string): number | undefined;
  isRunning(id: string): boolean;
  /** Whether a job of this id waits or runs. */
  has(id: string): boolean;
  /** Drops a waiting job; false when there was none of this id. */
  deletePending(id: string): boolean;
  /**
   * Brings a job back that `deletePending` dropped, to its place; false when it is not known any more:
   * the latest are kept, and none of them outlives this process.
   */
  restore(id: string): boolean;
  /** Drops those of them that wait, and says which these were. */
  deleteAllPending(ids: readonly string[]): readonly string[];
  clearPending(): void;
  /** Gives a waiting job another place; false when it does not wait. */
  move(id: string, number: number): boolean;
  /**
   * Makes a waiting job run right before another one, or last of all; false when one of them does
   * not wait. The others keep their order, and their numbers as long as there is room between them.
   */
  moveBefore(id: string, other: string | undefined): boolean;
  /** Starts no more jobs until `resume`, also after a restart. */
  pause(): void;
  resume(): void;
  paused(): boolean;
  /** A job by its id, whether it waits, runs or has finished. */
  job(id: string): Job | FinishedJob | undefined;
  /** A page of all jobs and how many there are without paging. */
  list(filter: JobFilter): { jobs: (Job | FinishedJob)[]; total: number };
  readonly history: History;
  /** Throws what the database says when no job could be taken in. */
  probe(): void;
  /** Tells `watcher` from now on, after those that came before it. */
  watch(watcher: QueueWatcher): void;
}

/** A queue over `store`, with what an earlier process left: its running jobs wait again. */
export function createQueue(
  store: JobStore,
  { now = Date.now }: { readonly now?: () => number } = {},
): Queue {
  const watchers: QueueWatcher[] = [];
  const waiting = createWaitingLine(takeOver(store, now));
  const running = new Set<string>();
  const secrets = new Map<string, Secrets>();
  const dropped = new Map<string, { readonly job: Job; readonly secrets: Secrets | undefined }>();
  let counter = store.counter();
  let isPaused = store.paused();

  const changed = (): void => {
    for (const watcher of watchers) watcher.changed?.();
  };
  const left = (ids: readonly string[]): void => {
    for (const watcher of watchers) watcher.left?.(ids);
  };
  const drop = (ids: readonly string[]): void => {
    store.remove(ids);
    for (const id of ids) secrets.delete(id);
    waiting.takeOutAll(ids);
    left(ids);
    changed();
  };
  const place = (jobs: readonly WaitingJob[]): void => {
    store.setNumbers(jobs.map((job) => ({ ...job, numberText: String(job.number) })));
    for (const job of jobs) {
      waiting.takeOut(job.id);
      waiting.add(job);
    }
    changed();
  };
  return {
    nextNumber: (front) => {
      const number = front ? -counter : counter;
      counter++;
      return number;
    },
    submit: ({ secrets: given, asksForSecrets = false, ...job }) => {
      if (running.has(job.id) || waiting.has(job.id)) {
        throw new NoodleError('DUPLICATE_JOB', { id: job.id });
      }
      const needsSecrets = asksForSecrets && given !== undefined;
      store.insert({ ...job, needsSecrets, createdAt: now() }, counter);
      if (given !== undefined) secrets.set(job.id, given);
      waiting.add({ number: job.number, id: job.id });
      changed();
    },
    take: () => {
      for (;;) {
        const next = isPaused ? undefined : waiting.takeFirst();
        if (next === undefined) return undefined;
        const job = store.start(next.id);
        const given = secrets.get(job.id);
        if (job.needsSecrets && given === undefined) {
          store.finish(job.id, failedResult(job.id, 'CredentialsLost', NO_SECRETS, now()));
          left([job.id]);
          changed();
          continue;
        }
        running.add(job.id);
        changed();
        return engineJob(job, given);
      }
    },
    finish: (id, result) => {
      store.finish(id, result);
      running.delete(id);
      secrets.delete(id);
      left([id]);
      changed();
    },
    putBack: (id) => {
      store.putBack(id);
      running.delete(id);
    },
    requeue: (id) => {
      const job = store.get(id);
      if (job === undefined || !running.has(id) || job.attempt >= MAX_ATTEMPTS) return false;
      store.requeue(id);
      running.delete(id);
      waiting.add({ number: job.number, id });
      changed();
      return true;
    },
    remaining: () => waiting.length() + running.size,
    counts: () => ({ running: running.size, pending: waiting.length() }),
    running: () => [...running].map((id) => store.get(id)!),
    pending: () => waiting.ids().map((id) => store.get(id)!),
    next: (count) => waiting.first(count).map((id) => store.get(id)!),
    position: (id) => waiting.position(id),
    isRunning: (id) => running.has(id),
    has: (id) => running.has(id) || waiting.has(id),
    deletePending: (id) => {
      if (!waiting.takeOut(id)) return false;
      dropped.set(id, { job: store.get(id)!, secrets: secrets.get(id) });
      if (dropped.size > MOST_DROPPED) dropped.delete(dropped.keys().next().value!);
      store.remove([id]);
      secrets.delete(id);
      left([id]);
      // ComfyUI announces the emptied queue and then the deletion.
      if (waiting.length() === 0) changed();
      changed();
      return true;
    },
    restore: (id) => {
      const known = dropped.get(id);
      if (known === undefined || running.has(id) || waiting.has(id)) return false;
      dropped.delete(id);
      store.insert(known.job, counter);
      if (known.secrets !== undefined) secrets.set(id, known.secrets);
      waiting.add({ number: known.job.number, id });
      changed();
      return true;
    },
    deleteAllPending: (ids) => {
      const gone = ids.filter((id) => waiting.has(id));
      drop(gone);
      return gone;
    },
    clearPending: () => drop(waiting.ids()),
    move: (id, number) => {
      if (!waiting.has(id)) return false;
      place([{ id, number }]);
      return true;
    },
    moveBefore: (id, other) => {
      if (!waiting.has(id) || id === other) return false;
      const others = waiting.inOrder().filter((job) => job.id !== id);
      const at = other === undefined ? others.length : others.findIndex((job) => job.id === other);
      if (at < 0) return false;
      const number = numberBetween(others[at - 1]?.number, others[at]?.number, counter);
      place(
        number === undefined
          ? numberedBelow(counter, [...others.slice(0, at), { id }, ...others.slice(at)])
          : [{ id, number }],
      );
      return true;
    },
    pause: () => {
      isPaused = true;
      store.setPaused(true);
      changed();
    },
    resume: () => {
      isPaused = false;
      store.setPaused(false);
      changed();
    },
    paused: () => isPaused,
    job: (id) => store.get(id),
    list: (filter) => store.list(filter),
    history: store.history,
    probe: () => store.probe(),
    watch: (watcher) => void watchers.push(watcher),
  };
}

/** What an earlier process left waiting; what it was running waits again, or has failed too often. */
function takeOver(store: JobStore, now: () => number): WaitingJob[] {
  return store.active().flatMap(({ id, number, status, attempt }) => {
    if (status === 'in_progress' && attempt >= MAX_ATTEMPTS) {
      store.finish(id, failedResult(id, 'ServerRestart', RESTARTED, now()));
      return [];
    }
    if (status === 'in_progress') store.requeue(id);
    return [{ id, number }];
  });
}

const RESTARTED =
  'The server ended twice while this prompt was running; it was not started a third time.';
const NO_SECRETS =
  'This prompt needs the credentials it was sent with; they are kept in memory only and the ' +
  'server was restarted. Send the prompt again.';

/** The job with its secrets back in extra_data. */
function engineJob(job: Job, secrets: Secrets | undefined): EngineJob {
  const { id, prompt, extraData, outputs, clientId } = job;
  if (secrets === undefined) return { id, prompt, extraData, outputs, clientId };
  const data = parseJson(extraData) as Record<string, Json>;
  return { id, prompt, extraData: stringifyJson({ ...data, ...secrets }), outputs, clientId };
}

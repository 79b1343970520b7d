/**
 * Feeds engine processes from the queue. An engine that dies costs at most its job: the job is run
 * once more when that does no harm, else reported; the process is started again either way.
 */
import type { Log } from '../log.ts';
import type { Audience, EngineJob, FromEngine } from '../worker/messages.ts';
import type { StartEngine } from '../worker/link.ts';
import type { Queue } from './queue.ts';
import { failedResult } from './results.ts';
import { type RunningJob, watchJob } from './running-job.ts';
import { type EngineState, Slot, type SlotOwner } from './slot.ts';
import type { JobResult } from './store.ts';

export interface DispatcherOptions {
  readonly queue: Queue;
  /** Milliseconds a running job gets to stop after an interrupt. */
  readonly interruptGrace: number;
  /** Messages of a running job, in their order. */
  readonly onMessage: (job: EngineJob, message: FromEngine) => void;
  /** The job's history is stored. */
  readonly onFinished: (job: EngineJob) => void;
  /** An engine can take jobs. */
  readonly onReady?: () => void;
  readonly log: Log;
  readonly now?: () => number;
}

export interface Dispatcher {
  /** Takes an engine on: it is started, and started again when it ends. */
  join(start: StartEngine): void;
  /** Gives waiting jobs to idle engines; to be called after every change of the queue. */
  pump(): void;
  /**
   * Stops the running job of this id, or all running jobs; false when there was none. `grace`: the
   * milliseconds they get, where that is not `interruptGrace`.
   */
  interrupt(jobId?: string, grace?: number): boolean;
  /** `/free`: after the current job, models are unloaded, or (`freeMemory`) the process is renewed. */
  free(options: { unloadModels: boolean; freeMemory: boolean }): void;
  /** Renews every engine: idle ones at once, a busy one after its job. */
  renew(): void;
  /** The engines, in the order in which jobs are offered to them. */
  states(): readonly EngineState[];
  /** How many engine processes there should be, can take jobs or run one, and ended unasked. */
  engines(): { readonly total: number; readonly ready: number; readonly restarts: number };
  /** The node that runs now for a client. */
  activeNode(clientId: string): string | undefined;
  /** Ends the engines; what they run waits for the next server, unless it was to be interrupted. */
  stop(): Promise<void>;
}

/** After this many failed starts in a row, waiting jobs are failed in place of waiting for ever. */
const HOPELESS_STARTS = 3;

/** A dispatcher; nothing runs before engines `join`. */
export const createDispatcher = (options: DispatcherOptions): Dispatcher => new Slots(options);

/** The places for engines, and what becomes of the jobs in them. */
class Slots implements Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #slots: Slot[] = [];
  #stopping = false;
  #pumping = false;
  #restarts = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  join(start: StartEngine): void {
    if (this.#stopping) return;
    const { interruptGrace } = this.#options;
    const slot = new Slot({ start, interruptGrace }, this.#owner());
    this.#slots.push(slot);
    slot.launch();
  }

  pump(): void {
    // queue.take announces a change, which leads back here.
    if (this.#pumping || this.#stopping) return;
    this.#pumping = true;
    for (const slot of this.#slots) {
      if (!slot.isIdle) continue;
      const job = this.#options.queue.take();
      if (job === undefined) break;
      slot.run(watchJob(job, this.#now()));
    }
    this.#pumping = false;
  }

  interrupt(jobId?: string, grace?: number): boolean {
    const busy = this.#slots.filter(
      ({ running }) => running !== undefined && (jobId === undefined || running.job.id === jobId),
    );
    for (const slot of busy) slot.interrupt(grace);
    return busy.length > 0;
  }

  free({ unloadModels, freeMemory }: { unloadModels: boolean; freeMemory: boolean }): void {
    for (const slot of this.#slots) {
      if (freeMemory) slot.renewIfUp();
      else if (unloadModels) slot.unloadModels();
    }
  }

  renew(): void {
    for (const slot of this.#slots) slot.renew();
  }

  states(): readonly EngineState[] {
    return this.#slots.map(({ state }) => state);
  }

  engines(): ReturnType<Dispatcher['engines']> {
    const ready = this.#slots.filter(({ isUp }) => isUp).length;
    return { total: this.#slots.length, ready, restarts: this.#restarts };
  }

  activeNode(clientId: string): string | undefined {
    return this.#slots
      .find(({ running }) => running?.job.clientId === clientId)
      ?.running?.activeNode();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const { queue } = this.#options;
    const cut = this.#slots.flatMap(({ running, wasInterrupted }) =>
      running === undefined ? [] : [{ running, wasInterrupted }],
    );
    await Promise.all(this.#slots.map((slot) => slot.stop()));
    for (const { running, wasInterrupted } of cut) {
      const { id } = running.job;
      if (wasInterrupted) queue.finish(id, running.interruption(this.#now()).result);
      else queue.putBack(id);
    }
  }

  /** What slots are told to say. */
  #owner(): SlotOwner {
    const { onReady, log } = this.#options;
    return {
      ready: () => {
        onReady?.();
        this.pump();
      },
      message: (message, running) => this.#hear(message, running),
      done: (running, end) => this.#finish(running.job, running.result(end)),
      lost: (running, how, interrupted) => this.#lose(running, how, interrupted),
      failedToStart: (how, times) => {
        log('ERROR', `an engine ended before it was ready (${how})`);
        if (times >= HOPELESS_STARTS && this.engines().ready === 0) this.#failWaiting(how);
      },
      broke: () => this.#restarts++,
      overdue: ({ id }) => log('WARNING', `${id}: not interrupted in time, its engine is ended`),
    };
  }

  #hear(message: FromEngine, running: RunningJob | undefined): void {
    if (message.type === 'log') return this.#options.log(message.level, message.text);
    if (running === undefined) return;
    running.observe(message);
    this.#options.onMessage(running.job, message);
  }

  #finish(job: EngineJob, result: JobResult): void {
    this.#options.queue.finish(job.id, result);
    this.#options.onFinished(job);
  }

  /** The engine of a job is gone: the job runs once more where that does no harm, else it has failed. */
  #lose(running: RunningJob, how: string, interrupted: boolean): void {
    const { queue, log } = this.#options;
    const { job } = running;
    if (!interrupted && running.isRepeatable() && queue.requeue(job.id)) {
      log('WARNING', `an engine ended (${how}) while it ran ${job.id}; the prompt runs once more`);
      return;
    }
    const reason = `The engine process ended (${how}) while it ran this prompt.`;
    if (!interrupted) log('ERROR', `${job.id}: ${reason}`);
    const { event, result } = interrupted
      ? running.interruption(this.#now())
      : running.failure(reason, this.#now());
    this.#tell(job, event, interrupted ? 'client-or-all' : 'client');
    this.#finish(job, result);
  }

  #failWaiting(how: string): void {
    const { queue } = this.#options;
    for (let job = queue.take(); job !== undefined; job = queue.take()) {
      const reason = `No engine process could be started (${how}); the server's log says why.`;
      const result = failedResult(job.id, 'EngineDied', reason, this.#now());
      this.#tell(job, result.messages[0], 'client');
      this.#finish(job, result);
    }
  }

  /** Says of a job what its engine cannot say any more. */
  #tell(job: EngineJob, [event, data]: readonly [string, string], to: Audience): void {
    this.#options.onMessage(job, { type: 'event', jobId: job.id, event, data, to });
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

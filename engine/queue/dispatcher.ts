/**
 * Feeds engine processes from the queue. An engine that dies costs at most its job: the job is run
 * once more when that does no harm, else reported; the process is started again either way.
 */
import type { Log } from '../log.ts';
import type { DeviceStats, EngineJob, FromEngine } from '../worker/messages.ts';
import type { StartEngine } from '../worker/link.ts';
import type { Queue } from './queue.ts';
import { failedResult } from './results.ts';
import { type RunningJob, watchJob } from './running-job.ts';
import { Slot } from './slot.ts';
import type { JobResult } from './store.ts';

export interface DispatcherOptions {
  readonly queue: Queue;
  readonly startEngine: StartEngine;
  readonly engines: number;
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
  /** Starts the engines. */
  start(): void;
  /** Takes one more engine on, which is started and started again like the others. */
  join(start: StartEngine): void;
  /** Gives waiting jobs to idle engines; to be called after every change of the queue. */
  pump(): void;
  /** Stops the running job of this id, or all running jobs; false when there was none. */
  interrupt(jobId?: string): boolean;
  /** `/free`: after the current job, models are unloaded, or (`freeMemory`) the process is renewed. */
  free(options: { unloadModels: boolean; freeMemory: boolean }): void;
  /** Renews every engine: idle ones at once, a busy one after its job. */
  renew(): void;
  /** Devices as the engines report them; empty before the first is ready. */
  devices(): readonly DeviceStats[];
  /** How many engine processes there should be, can take jobs or run one, and ended unasked. */
  engines(): { readonly total: number; readonly ready: number; readonly restarts: number };
  /** The node that runs now for a client. */
  activeNode(clientId: string): string | undefined;
  /** Ends the engines; what they run waits for the next server, unless it was to be interrupted. */
  stop(): Promise<void>;
}

/** After this many failed starts in a row, waiting jobs are failed in place of waiting for ever. */
const HOPELESS_STARTS = 3;

/** A dispatcher; nothing runs before `start`. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { queue, startEngine, interruptGrace, onMessage, onFinished, onReady, log } = options;
  const { now = Date.now } = options;
  const slots: Slot[] = [];
  let stopping = false;
  let pumping = false;
  let restarts = 0;

  /** One more place for an engine, which is started there. */
  const join = (start: StartEngine): void => {
    const slot = new Slot(
      { start, interruptGrace },
      {
        ready: () => {
          onReady?.();
          pump();
        },
        message: (message, running) => {
          if (message.type === 'log') log(message.level, message.text);
          if (message.type === 'log' || running === undefined) return;
          running.observe(message);
          onMessage(running.job, message);
        },
        done: (running, end) => finish(running.job, running.result(end)),
        lost: loseJob,
        failedToStart: (how, times) => {
          log('ERROR', `an engine ended before it was ready (${how})`);
          if (times >= HOPELESS_STARTS && !slots.some(({ isUp }) => isUp)) failWaiting(how);
        },
        broke: () => restarts++,
        overdue: ({ id }) => log('WARNING', `${id}: not interrupted in time, its engine is ended`),
      },
    );
    slots.push(slot);
    slot.launch();
  };

  const finish = (job: EngineJob, result: JobResult): void => {
    queue.finish(job.id, result);
    onFinished(job);
  };

  const loseJob = (running: RunningJob, how: string, interrupted: boolean): void => {
    const { job } = running;
    if (!interrupted && running.isRepeatable() && queue.requeue(job.id)) {
      log('WARNING', `an engine ended (${how}) while it ran ${job.id}; the prompt runs once more`);
      return;
    }
    const reason = `The engine process ended (${how}) while it ran this prompt.`;
    if (!interrupted) log('ERROR', `${job.id}: ${reason}`);
    const { event, result } = interrupted
      ? running.interruption(now())
      : running.failure(reason, now());
    const to = interrupted ? 'client-or-all' : 'client';
    onMessage(job, { type: 'event', jobId: job.id, event: event[0], data: event[1], to });
    finish(job, result);
  };

  const failWaiting = (how: string): void => {
    for (let job = queue.take(); job !== undefined; job = queue.take()) {
      const reason = `No engine process could be started (${how}); the server's log says why.`;
      const result = failedResult(job.id, 'EngineDied', reason, now());
      const [[event, data]] = result.messages;
      onMessage(job, { type: 'event', jobId: job.id, event, data, to: 'client' });
      finish(job, result);
    }
  };

  const pump = (): void => {
    // queue.take announces a change, which leads back here.
    if (pumping || stopping) return;
    pumping = true;
    for (const slot of slots) {
      if (!slot.isIdle) continue;
      const job = queue.take();
      if (job === undefined) break;
      slot.run(watchJob(job, now()));
    }
    pumping = false;
  };

  return {
    start: () => {
      for (let i = 0; i < options.engines; i++) join(startEngine);
    },
    join,
    pump,
    interrupt: (jobId) => {
      const busy = slots.filter(
        ({ running }) => running !== undefined && (jobId === undefined || running.job.id === jobId),
      );
      for (const slot of busy) slot.interrupt();
      return busy.length > 0;
    },
    free: ({ unloadModels, freeMemory }) => {
      for (const slot of slots) {
        if (freeMemory) slot.renewIfUp();
        else if (unloadModels) slot.unloadModels();
      }
    },
    renew: () => slots.forEach((slot) => slot.renew()),
    devices: () => slots.flatMap(({ devices }) => devices),
    engines: () => ({
      total: slots.length,
      ready: slots.filter(({ isUp }) => isUp).length,
      restarts,
    }),
    activeNode: (clientId) =>
      slots.find(({ running }) => running?.job.clientId === clientId)?.running?.activeNode(),
    stop: async () => {
      stopping = true;
      const cut = slots.flatMap(({ running, wasInterrupted }) =>
        running === undefined ? [] : [{ running, wasInterrupted }],
      );
      await Promise.all(slots.map((slot) => slot.stop()));
      for (const { running, wasInterrupted } of cut) {
        const { id } = running.job;
        if (wasInterrupted) queue.finish(id, running.interruption(now()).result);
        else queue.putBack(id);
      }
    },
  };
}

/**
 * Feeds engine processes from the queue. An engine that dies costs at most its job: the job is run
 * once more when that does no harm, else reported; the process is started again either way.
 */
import type { Log } from '../log.ts';
import type { DeviceStats, EngineJob, FromEngine, ToEngine } from '../worker/messages.ts';
import type { EngineLink, StartEngine } from '../worker/process-link.ts';
import type { Queue } from './queue.ts';
import { failedResult } from './results.ts';
import { type RunningJob, watchJob } from './running-job.ts';

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

interface Slot {
  link?: EngineLink;
  phase: 'down' | 'starting' | 'idle' | 'busy' | 'renewing';
  running?: RunningJob;
  /** Set once the running job was told to stop. */
  graceTimer?: NodeJS.Timeout;
  renewAfterJob: boolean;
  failedStarts: number;
  devices: readonly DeviceStats[];
  restartTimer?: NodeJS.Timeout;
  onDown?: () => void;
}

/** After this many failed starts in a row, waiting jobs are failed in place of waiting for ever. */
const HOPELESS_STARTS = 3;
const LONGEST_PAUSE = 30_000;

/** A dispatcher; nothing runs before `start`. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { queue, startEngine, interruptGrace, onMessage, onFinished, onReady, log } = options;
  const { now = Date.now } = options;
  const slots: Slot[] = Array.from({ length: options.engines }, () => ({
    phase: 'down',
    renewAfterJob: false,
    failedStarts: 0,
    devices: [],
  }));
  let stopping = false;
  let pumping = false;
  let restarts = 0;

  const launch = (slot: Slot): void => {
    slot.phase = 'starting';
    slot.link = startEngine({
      message: (message) => receive(slot, message),
      exit: (how) => ended(slot, how),
    });
  };

  const receive = (slot: Slot, message: FromEngine): void => {
    switch (message.type) {
      case 'ready':
        slot.phase = 'idle';
        slot.failedStarts = 0;
        slot.devices = message.devices;
        onReady?.();
        pump();
        return;
      case 'log':
        log(message.level, message.text);
        return;
      case 'freed':
        return;
      case 'done': {
        const { running } = slot;
        if (running?.job.id !== message.jobId) return;
        settle(slot, running.job, () => queue.finish(running.job.id, message.result));
        if (slot.renewAfterJob) renew(slot);
        else slot.phase = 'idle';
        pump();
        return;
      }
      default:
        if (slot.running === undefined) return;
        slot.running.observe(message);
        onMessage(slot.running.job, message);
    }
  };

  /** The engine is done with its job, one way or another. */
  const settle = (slot: Slot, job: EngineJob, store: () => void): void => {
    clearTimeout(slot.graceTimer);
    slot.running = undefined;
    slot.graceTimer = undefined;
    store();
    onFinished(job);
  };

  const ended = (slot: Slot, how: string): void => {
    const { running, phase } = slot;
    slot.link = undefined;
    slot.phase = 'down';
    slot.onDown?.();
    if (stopping) return;
    if (phase !== 'renewing') restarts++;
    if (running !== undefined) loseJob(slot, running, how);
    if (phase === 'starting') {
      slot.failedStarts++;
      log('ERROR', `an engine ended before it was ready (${how})`);
      if (slot.failedStarts >= HOPELESS_STARTS) failWaiting(how);
    }
    const pause = slot.failedStarts === 0 ? 0 : 250 * 2 ** Math.min(slot.failedStarts, 8);
    slot.restartTimer = setTimeout(() => launch(slot), Math.min(pause, LONGEST_PAUSE));
  };

  const loseJob = (slot: Slot, running: RunningJob, how: string): void => {
    const { job } = running;
    const wasInterrupted = slot.graceTimer !== undefined;
    if (!wasInterrupted && running.isRepeatable() && queue.requeue(job.id)) {
      clearTimeout(slot.graceTimer);
      slot.running = undefined;
      log('WARNING', `an engine ended (${how}) while it ran ${job.id}; the prompt runs once more`);
      return;
    }
    const reason = `The engine process ended (${how}) while it ran this prompt.`;
    if (!wasInterrupted) log('ERROR', `${job.id}: ${reason}`);
    const { event, result } = wasInterrupted
      ? running.interruption(now())
      : running.failure(reason, now());
    const to = wasInterrupted ? 'client-or-all' : 'client';
    onMessage(job, { type: 'event', jobId: job.id, event: event[0], data: event[1], to });
    settle(slot, job, () => queue.finish(job.id, result));
  };

  const failWaiting = (how: string): void => {
    if (slots.some(({ phase }) => phase === 'idle' || phase === 'busy')) return;
    for (let job = queue.take(); job !== undefined; job = queue.take()) {
      const reason = `No engine process could be started (${how}); the server's log says why.`;
      const result = failedResult(job.id, 'EngineDied', reason, now());
      const [[event, data]] = result.messages;
      onMessage(job, { type: 'event', jobId: job.id, event, data, to: 'client' });
      queue.finish(job.id, result);
      onFinished(job);
    }
  };

  const renew = (slot: Slot): void => {
    slot.phase = 'renewing';
    slot.renewAfterJob = false;
    slot.link?.send({ type: 'stop' });
  };

  const renewInTime = (slot: Slot): void => {
    slot.failedStarts = 0;
    if (slot.phase === 'idle') renew(slot);
    else if (slot.phase === 'busy') slot.renewAfterJob = true;
    else if (slot.phase === 'starting') {
      slot.phase = 'renewing';
      slot.link?.kill();
    } else if (slot.phase === 'down' && slot.restartTimer !== undefined) {
      clearTimeout(slot.restartTimer);
      launch(slot);
    }
  };

  const pump = (): void => {
    // queue.take announces a change, which leads back here.
    if (pumping || stopping) return;
    pumping = true;
    for (const slot of slots) {
      if (slot.phase !== 'idle') continue;
      const job = queue.take();
      if (job === undefined) break;
      slot.phase = 'busy';
      slot.running = watchJob(job, now());
      slot.link?.send({ type: 'run', job });
    }
    pumping = false;
  };

  return {
    start: () => slots.forEach(launch),
    pump,
    interrupt: (jobId) => {
      const busy = slots.filter(
        ({ running }) => running !== undefined && (jobId === undefined || running.job.id === jobId),
      );
      for (const slot of busy) {
        slot.link?.send({ type: 'interrupt', jobId: slot.running!.job.id });
        slot.graceTimer ??= setTimeout(() => {
          log('WARNING', `${slot.running?.job.id}: not interrupted in time, its engine is ended`);
          slot.link?.kill();
        }, interruptGrace);
      }
      return busy.length > 0;
    },
    free: ({ unloadModels, freeMemory }) => {
      const message: ToEngine = { type: 'free', unloadModels, freeMemory };
      for (const slot of slots) {
        if (freeMemory && slot.phase === 'idle') renew(slot);
        else if (freeMemory) slot.renewAfterJob = slot.phase === 'busy';
        else if (unloadModels) slot.link?.send(message);
      }
    },
    renew: () => slots.forEach(renewInTime),
    devices: () => slots.flatMap(({ devices }) => devices),
    engines: () => ({
      total: slots.length,
      ready: slots.filter(({ phase }) => phase === 'idle' || phase === 'busy').length,
      restarts,
    }),
    activeNode: (clientId) =>
      slots.find(({ running }) => running?.job.clientId === clientId)?.running?.activeNode(),
    stop: async () => {
      stopping = true;
      const cut = slots.flatMap(({ running, graceTimer }) =>
        running === undefined ? [] : [{ running, interrupted: graceTimer !== undefined }],
      );
      await Promise.all(slots.map(stopSlot));
      for (const { running, interrupted } of cut) {
        const { id } = running.job;
        if (interrupted) queue.finish(id, running.interruption(now()).result);
        else queue.putBack(id);
      }
    },
  };
}

/** Asks an engine to end, and ends it when it does not. */
async function stopSlot(slot: Slot): Promise<void> {
  clearTimeout(slot.graceTimer);
  clearTimeout(slot.restartTimer);
  const { link } = slot;
  if (link === undefined) return;
  const down = new Promise<void>((resolve) => (slot.onDown = resolve));
  if (slot.running === undefined) link.send({ type: 'stop' });
  else link.kill();
  const timer = setTimeout(() => link.kill(), 2000);
  await down;
  clearTimeout(timer);
}

/**
 * A place for one engine: starts it, starts it again when it ends, and says how that ended. Which
 * jobs it gets and what becomes of them is its owner's business (dispatcher.ts).
 */
import type { EngineLink, StartEngine } from '../worker/link.ts';
import type { EngineJob, EngineReport, FromEngine, JobEnd } from '../worker/messages.ts';
import type { RunningJob } from './running-job.ts';

/** Who is told what becomes of the engine and of its job. */
export interface SlotOwner {
  /** It can take a job. */
  ready(): void;
  /** A message of the running job, or a line for the log. */
  message(message: FromEngine, running: RunningJob | undefined): void;
  /** The job came to its end; `interrupted` (here and below): it had been told to stop. */
  done(running: RunningJob, end: JobEnd): void;
  /** The engine ended in the middle of the job. */
  lost(running: RunningJob, how: string, interrupted: boolean): void;
  /** An engine ended before it was ready, for the `times`-th time in a row. */
  failedToStart(how: string, times: number): void;
  /** It ended unasked. */
  broke(): void;
  /** A job did not stop in time, so its engine is killed. */
  overdue(job: EngineJob): void;
}

/** An engine as it stands. */
export interface EngineState {
  readonly state: 'starting' | 'idle' | 'busy';
  /** Id of the job that it runs. */
  readonly job: string | undefined;
  /** Undefined before it was ready once. */
  readonly report: EngineReport | undefined;
}

export interface SlotOptions {
  readonly start: StartEngine;
  /** Milliseconds a running job gets to stop after an interrupt. */
  readonly interruptGrace: number;
}

const LONGEST_PAUSE = 30_000;

/** Milliseconds an engine gets to end when it is asked to. */
const STOP_GRACE = 2000;

export class Slot {
  readonly #options: SlotOptions;
  readonly #owner: SlotOwner;
  #link: EngineLink | undefined;
  #phase: 'down' | 'starting' | 'idle' | 'busy' | 'renewing' = 'down';
  #running: RunningJob | undefined;
  /** Set once the running job was told to stop. */
  #graceTimer: NodeJS.Timeout | undefined;
  /** Milliseconds that it got. */
  #grace = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #renewsAfterJob = false;
  #failedStarts = 0;
  #report: EngineReport | undefined;
  /** Set when no engine is to be started again. */
  #onStopped: (() => void) | undefined;

  constructor(options: SlotOptions, owner: SlotOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  get isIdle(): boolean {
    return this.#phase === 'idle';
  }

  /** It runs a job or can take one. */
  get isUp(): boolean {
    return this.#phase === 'idle' || this.#phase === 'busy';
  }

  get running(): RunningJob | undefined {
    return this.#running;
  }

  get wasInterrupted(): boolean {
    return this.#graceTimer !== undefined;
  }

  /** What the engine does, and what it said of itself last. */
  get state(): EngineState {
    const state = this.isIdle ? 'idle' : this.#phase === 'busy' ? 'busy' : 'starting';
    return { state, job: this.#running?.job.id, report: this.#report };
  }

  launch(): void {
    this.#phase = 'starting';
    this.#renewsAfterJob = false;
    this.#link = this.#options.start({
      message: (message) => this.#receive(message),
      exit: (how) => this.#ended(how),
    });
  }

  /** Gives an idle engine its job. */
  run(running: RunningJob): void {
    this.#phase = 'busy';
    this.#running = running;
    this.#link?.send({ type: 'run', job: running.job });
  }

  /**
   * Tells the running job to stop; an engine that does not obey within `grace` milliseconds is killed.
   * Told again with less patience, the job has less time.
   */
  interrupt(grace = this.#options.interruptGrace): void {
    const job = this.#running?.job;
    if (job === undefined) return;
    this.#link?.send({ type: 'interrupt', jobId: job.id });
    if (this.#graceTimer !== undefined && grace >= this.#grace) return;
    clearTimeout(this.#graceTimer);
    this.#grace = grace;
    this.#graceTimer = setTimeout(() => {
      this.#owner.overdue(job);
      // Should the job end just now, nothing else is given to this engine.
      this.#renewsAfterJob = true;
      this.#link?.kill();
    }, grace);
  }

  unloadModels(): void {
    this.#link?.send({ type: 'free', unloadModels: true, freeMemory: false });
  }

  /** Renews an engine that is up: at once, or after its job. */
  renewIfUp(): void {
    if (this.#phase === 'idle') this.#renew();
    else this.#renewsAfterJob = this.#phase === 'busy';
  }

  /** Renews the engine whatever it does; one that waits to be started again waits no longer. */
  renew(): void {
    this.#failedStarts = 0;
    if (this.isUp) this.renewIfUp();
    else if (this.#phase === 'starting') {
      this.#phase = 'renewing';
      this.#link?.kill();
    } else if (this.#phase === 'down' && this.#restartTimer !== undefined) {
      clearTimeout(this.#restartTimer);
      this.launch();
    }
  }

  /** Ends the engine for good: asks an idle one, kills a busy or starting one, and one that does not end. */
  async stop(): Promise<void> {
    clearTimeout(this.#graceTimer);
    clearTimeout(this.#restartTimer);
    const link = this.#link;
    const down = new Promise<void>((resolve) => (this.#onStopped = resolve));
    if (link === undefined) return;
    // One that is starting has nothing to lose, and listens only when it has read all its code.
    if (this.#running !== undefined || this.#phase === 'starting') link.kill();
    else link.send({ type: 'stop' });
    const timer = setTimeout(() => link.kill(), STOP_GRACE);
    await down;
    clearTimeout(timer);
  }

  #receive(message: FromEngine): void {
    if (message.type === 'ready') {
      this.#phase = 'idle';
      this.#failedStarts = 0;
      this.#report = message.report;
      this.#owner.ready();
    } else if (message.type === 'report') {
      this.#report = message.report;
    } else if (message.type !== 'done') {
      this.#owner.message(message, this.#running);
    } else if (this.#running?.job.id === message.jobId) {
      this.#report = message.report ?? this.#report;
      this.#owner.done(this.#leaveJob(), message.end);
      if (this.#renewsAfterJob || message.isSpent === true) return this.#renew();
      this.#phase = 'idle';
      this.#owner.ready();
    }
  }

  #ended(how: string): void {
    const phase = this.#phase;
    this.#link = undefined;
    this.#phase = 'down';
    if (this.#onStopped !== undefined) return this.#onStopped();
    if (phase !== 'renewing') this.#owner.broke();
    if (this.#running !== undefined) {
      const interrupted = this.wasInterrupted;
      this.#owner.lost(this.#leaveJob(), how, interrupted);
    }
    if (phase === 'starting') this.#owner.failedToStart(how, ++this.#failedStarts);
    const times = this.#failedStarts;
    const pause = times === 0 ? 0 : Math.min(250 * 2 ** Math.min(times, 8), LONGEST_PAUSE);
    this.#restartTimer = setTimeout(() => this.launch(), pause);
  }

  #leaveJob(): RunningJob {
    const running = this.#running!;
    clearTimeout(this.#graceTimer);
    this.#running = undefined;
    this.#graceTimer = undefined;
    return running;
  }

  #renew(): void {
    this.#phase = 'renewing';
    this.#renewsAfterJob = false;
    this.#link?.send({ type: 'stop' });
  }
}

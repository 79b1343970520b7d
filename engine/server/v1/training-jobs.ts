/**
 * Training runs in the queue: each is an ordinary job. Pausing one is cancelling its job, which saves at the
 * end of its step; going on is submitting it again.
 */
import type { Progress } from '../../training/job/progress.ts';
import { changeProgress, readProgress } from '../../training/runs/progress.ts';
import { runsInPrompt, trainPrompt } from '../../training/runs/prompt.ts';
import { runsIn } from '../../training/runs/runs.ts';
import { type FinishedJob, type Job, isFinished } from '../../queue/store.ts';
import type { Json } from '../../workflow/lossless-json.ts';
import type { LeftJob } from '../events.ts';
import type { Core } from '../face.ts';
import { jobError } from './job-json.ts';
import { ProblemError } from './problem.ts';
import type { RunState } from './training-schemas.ts';

/** Milliseconds that a step and the save behind it may take before the engine of a pausing run is ended. */
const PATIENCE = 15 * 60_000;

type Ending = 'pause' | 'stop';

export interface RunJobs {
  /** The job that a run waits or runs as. */
  of(run: string): Job | undefined;
  /** What the run does, by the queue and by what its loop said last. */
  stateOf(run: string, progress: Progress | undefined): RunState;
  /** Submits it; throws a problem where it waits or runs already, or is refused. */
  start(run: string, owner: string | undefined): Promise<void>;
  /** Ends its job, to go on another time; a problem where there is none. False when it still runs. */
  pause(run: string): boolean;
  /** Ends it for good, as far as it is; a problem where it has ended. False when it still runs. */
  stop(run: string): boolean;
  /** Throws a problem where it waits or runs. */
  refuseActive(run: string): void;
  /** To be told of jobs that neither wait nor run any more. */
  left(jobs: readonly LeftJob[]): void;
}

/** The runs in the queue of a server. */
export function createRunJobs({
  queue,
  dispatcher,
  folders,
  submit,
  now,
}: Pick<Core, 'queue' | 'dispatcher' | 'folders' | 'submit' | 'now'>): RunJobs {
  const runs = runsIn(folders);
  /** How jobs that still run are to end. */
  const endings = new Map<string, Ending>();
  let known: ReadonlyMap<string, Job> | undefined;
  queue.watch({ changed: () => (known = undefined) });

  const of = (run: string): Job | undefined => {
    // Of two jobs of a run the one that runs counts.
    known ??= new Map(
      [...queue.pending(), ...queue.running()].flatMap((job) =>
        runsInPrompt(job.prompt).map((each) => [each, job] as const),
      ),
    );
    return known.get(run);
  };
  const refuseActive = (run: string): void => {
    const job = of(run);
    if (job === undefined) return;
    const what = job.status === 'pending' ? 'waits in the queue' : 'is being trained';
    throw conflict('run_active', `'${run}' ${what}.`);
  };
  const markStopped = (run: string): void => {
    const folder = runs.folder(run);
    const progress = readProgress(folder) ?? { step: 0, steps: 0 };
    changeProgress(folder, { ...progress, state: 'stopped', updated: now() });
  };
  const end = (job: Job, ending: Ending): boolean => {
    if (queue.deletePending(job.id)) return true;
    endings.set(job.id, ending);
    return !dispatcher.interrupt(job.id, PATIENCE);
  };
  /** What the loop could not say: that its engine died, or that its run is to go on no more. */
  const settle = (run: string, job: FinishedJob, ending: Ending | undefined): void => {
    if (!runs.names().includes(run)) return;
    const folder = runs.folder(run);
    const progress = readProgress(folder);
    if (job.status === 'failed' && progress?.state !== 'failed') {
      const error = jobError(job)?.message ?? 'The job failed.';
      const { step, steps } = progress ?? { step: 0, steps: 0 };
      changeProgress(folder, { state: 'failed', step, steps, error, updated: now() });
    } else if (job.status === 'cancelled' && ending === 'stop') markStopped(run);
  };

  return {
    of,
    stateOf: (run, progress) => {
      const job = of(run);
      if (job?.status === 'pending') return 'waiting';
      if (job !== undefined) return ENDING_STATES[endings.get(job.id) ?? 'none'];
      // Its loop ended without a word.
      return progress?.state === 'running' ? 'interrupted' : (progress?.state ?? 'new');
    },
    start: async (run, owner) => {
      runs.folder(run);
      refuseActive(run);
      const prompt = trainPrompt(run) as unknown as Json;
      const answer = await submit({ prompt, extra_data: { workflow_name: run } }, { owner });
      if (answer.ok) return;
      const { type: code, message, details } = answer.error;
      const detail = details === '' ? message : `${message}: ${details}`;
      throw new ProblemError({ status: answer.status, code, detail });
    },
    pause: (run) => {
      runs.folder(run);
      const job = of(run);
      if (job === undefined) throw conflict('run_not_active', `'${run}' neither waits nor runs.`);
      return end(job, 'pause');
    },
    stop: (run) => {
      const progress = readProgress(runs.folder(run));
      const job = of(run);
      if (job !== undefined && !end(job, 'stop')) return false;
      const hasEnded = progress === undefined || ENDS.includes(progress.state);
      if (job === undefined && hasEnded) {
        throw conflict('run_not_active', `'${run}' has nothing that could be stopped.`);
      }
      if (!hasEnded) markStopped(run);
      return true;
    },
    refuseActive,
    left: (jobs) => {
      for (const { id, job } of jobs) {
        const ending = endings.get(id);
        endings.delete(id);
        if (job === undefined || !isFinished(job)) continue;
        for (const run of runsInPrompt(job.prompt)) settle(run, job, ending);
      }
    },
  };
}

const ENDS: readonly string[] = ['stopped', 'finished', 'failed'];

const ENDING_STATES = { pause: 'pausing', stop: 'stopping', none: 'running' } as const;

const conflict = (code: string, detail: string): ProblemError =>
  new ProblemError({ status: 409, code, detail });

/** `noodle train`: job files from the command line, one after another. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { NoodleError } from '../engine/errors.ts';
import { findJob, jobEnvironment, ownPlaces } from '../engine/training/job/find-job.ts';
import type { TrainingJob } from '../engine/training/job/job.ts';
import { readJobs } from '../engine/training/job/read-job.ts';
import { copyOutput } from './copy-output.ts';
import { interruptible } from './interruptible.ts';
import { safeText } from './print.ts';

export interface TrainFlags {
  /** Go on with the next job after one that failed. */
  readonly recover?: boolean;
  /** The name of the run, in place of the file's. */
  readonly name?: string;
  /** A file that everything printed is added to. */
  readonly log?: string;
}

/** Trains a job to its end, or until the signal: then it ends its step, saves and throws INTERRUPTED. */
export type RunJob = (job: TrainingJob, signal: AbortSignal) => Promise<void>;

export interface TrainContext {
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly run: RunJob;
}

type Outcome = 'completed' | 'failed' | 'stopped';

/**
 * Runs the jobs of the files in turn. The first that fails is the last one, unless `recover` is set; so is the one
 * that Ctrl-C stops. Answers 1 when a job failed, or was stopped on the way to the next one, else 0.
 */
export async function trainCommand(
  files: readonly string[],
  { recover = false, name, log }: TrainFlags,
  context: TrainContext,
): Promise<number> {
  const restore = log === undefined ? undefined : copyOutput(log);
  try {
    console.log(`Running ${counted(files.length, 'job')}`);
    const outcomes: Outcome[] = [];
    for (const file of files) {
      const outcome = await runFile(file, name, context);
      outcomes.push(outcome);
      if (outcome !== 'completed' && !recover) break;
    }
    return conclude(outcomes, recover);
  } finally {
    restore?.();
  }
}

async function runFile(
  file: string,
  name: string | undefined,
  { cwd, environment, run }: TrainContext,
): Promise<Outcome> {
  try {
    for (const job of jobsIn(file, name, cwd, environment)) {
      for (const line of job.warnings) console.error(safeText(`warning: ${line}`));
      for (const line of job.substitutions) console.log(safeText(line));
      await interruptible((signal) => run(job, signal));
    }
    return 'completed';
  } catch (error) {
    if (error instanceof NoodleError && error.code === 'INTERRUPTED') {
      console.log('Job stopped');
      return 'stopped';
    }
    console.error(safeText(`Error running job: ${messageOf(error)}`));
    return 'failed';
  }
}

function jobsIn(
  file: string,
  name: string | undefined,
  cwd: string,
  environment: NodeJS.ProcessEnv,
): TrainingJob[] {
  const path = findJob(file, cwd);
  return readJobs(relative(cwd, path), readFileSync(path, 'utf8'), {
    name,
    environment: jobEnvironment(cwd, environment),
    place: ownPlaces(cwd),
  });
}

function conclude(outcomes: readonly Outcome[], recover: boolean): number {
  const failures = outcomes.filter(
    (one) => one === 'failed' || (one === 'stopped' && recover),
  ).length;
  const completed = outcomes.filter((one) => one === 'completed').length;
  const line = '='.repeat(40);
  console.log(`\n${line}\nResult:\n - ${counted(completed, 'completed job')}`);
  if (failures > 0) console.log(` - ${counted(failures, 'failure')}`);
  console.log(line);
  return failures > 0 ? 1 : 0;
}

const counted = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;

/** Our own errors say what is wrong; others also where. */
function messageOf(error: unknown): string {
  if (error instanceof NoodleError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

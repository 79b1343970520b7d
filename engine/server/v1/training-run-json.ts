/** Training runs as the public API shows them. */
import { NoodleError } from '../../errors.ts';
import { readJobs } from '../../training/job/read-job.ts';
import { runFiles } from '../../training/job/run-files.ts';
import { samplesOf } from '../../training/runs/files.ts';
import { lastLosses, secondsOfStep } from '../../training/runs/losses.ts';
import { readProgress } from '../../training/runs/progress.ts';
import { RUNS_FOLDER, type Runs } from '../../training/runs/runs.ts';
import type { Api } from './api.ts';
import type { Run, RunDetail } from './training-schemas.ts';

/** A run as lists show it; throws FILE_NOT_FOUND. */
export function runJson(name: string, runs: Runs, { runJobs }: Api, base: string): Run {
  const folder = runs.folder(name);
  const progress = readProgress(folder);
  const state = runJobs.stateOf(name, progress);
  const [last] = lastLosses(folder, 1);
  const pace = secondsOfStep(folder) ?? null;
  const left = progress === undefined ? 0 : Math.max(0, progress.steps - progress.step);
  const sample = samplesOf(folder).at(-1);
  const id = encodeURIComponent(name);
  return {
    name,
    state,
    step: progress?.step ?? 0,
    steps: progress?.steps ?? null,
    error: state === 'failed' ? (progress?.error ?? null) : null,
    created_at: isoTime(runs.created(name)),
    updated_at: progress === undefined ? null : isoTime(progress.updated),
    loss: last?.loss ?? null,
    rate: last?.rate ?? null,
    seconds_per_step: pace,
    seconds_left: pace === null || left === 0 ? null : pace * left,
    job_id: runJobs.of(name)?.id ?? null,
    picture: sample === undefined ? null : thumbnailUrl(name, sample.filename, sample.made),
    urls: { self: `${base}/v1/training/runs/${id}`, page: `${base}/ui/train#run/${id}` },
  };
}

/** A run with what its job says; throws FILE_NOT_FOUND. */
export function runDetail(name: string, runs: Runs, api: Api, base: string): RunDetail {
  return {
    ...runJson(name, runs, api, base),
    ...jobTexts(runs.config(name)),
  };
}

/** Where a file of a run can be fetched. */
export function fileUrl(name: string, filename: string, subfolder = ''): string {
  const place = [RUNS_FOLDER, name, subfolder].filter((part) => part !== '').join('/');
  return `/view?${new URLSearchParams({ filename, subfolder: place, type: 'output' }).toString()}`;
}

/** Where a small picture of a sample can be fetched. */
export function thumbnailUrl(name: string, filename: string, version: number): string {
  const path = `${RUNS_FOLDER}/${name}/${runFiles.samples}/${filename}`;
  const query = new URLSearchParams({ path, directory: 'output', v: String(version) });
  return `/v1/outputs/thumbnail?${query.toString()}`;
}

export const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** What is shown of a job file; one that somebody broke by hand shows nothing. */
function jobTexts(config: string): Pick<RunDetail, 'prompts' | 'substitutions' | 'warnings'> {
  try {
    const [job] = readJobs(runFiles.config, config, {
      environment: {},
      // Nothing is opened: what it names may be gone since.
      place: (path) => path,
    });
    return {
      prompts: job.sample.samples.map(({ prompt }) => prompt),
      substitutions: [...job.substitutions],
      warnings: [...job.warnings],
    };
  } catch (error) {
    if (!(error instanceof NoodleError)) throw error;
    return { prompts: [], substitutions: [], warnings: [] };
  }
}

/** Jobs as they come over the API: usual settings or a job file, made into the file that a run has. */
import { NoodleError } from '../../errors.ts';
import { Complaint } from '../../training/job/findings.ts';
import type { TrainingJob } from '../../training/job/job.ts';
import { parseJob } from '../../training/job/parse.ts';
import { readJobTree } from '../../training/job/read-job.ts';
import { configText } from '../../training/job/run-folder.ts';
import { serverPlaces } from '../../training/runs/places.ts';
import { isRunName } from '../../training/runs/runs.ts';
import { jobOfSettings, settingOf } from '../../training/runs/settings.ts';
import type { Api } from './api.ts';
import { ProblemError } from './problem.ts';
import type { ProblemPart } from './schemas.ts';
import { DEFAULT_SETTINGS, type RunSettings } from './training-settings.ts';

export interface JobSource {
  readonly name?: string;
  readonly settings?: RunSettings;
  readonly yaml?: string;
}

export interface CheckedJob {
  readonly name: string | null;
  /** The job file. */
  readonly yaml: string;
  readonly errors: readonly ProblemPart[];
  readonly warnings: readonly string[];
  readonly substitutions: readonly string[];
}

/** Where runs of a server lie, as job files have it: what a file says of that is put aside. */
const FOLDER = 'output/training';

/** What is said of a job; throws a problem where it is no source at all. */
export function checkSource(source: JobSource, { folders }: Pick<Api, 'folders'>): CheckedJob {
  const { settings, yaml } = source;
  if ((settings === undefined) === (yaml === undefined)) {
    const detail = 'Either settings or yaml says what is trained.';
    throw new ProblemError({ status: 400, code: 'validation_failed', detail });
  }
  let tree: unknown;
  try {
    tree =
      settings === undefined
        ? parseJob('job.yaml', yaml!, {})
        : jobOfSettings('', { ...DEFAULT_SETTINGS, ...settings });
  } catch (error) {
    if (!(error instanceof Complaint)) throw error;
    const errors = error.problems.map((detail) => ({ pointer: '/yaml', detail }));
    return { ...NOTHING, name: source.name ?? null, yaml: yaml ?? '', errors };
  }
  const name = source.name ?? nameIn(tree);
  const own = ownTree(tree, name ?? '');
  const errors = nameErrors(name);
  // A name that is missing is told once.
  const { job, problems } = read(ownTree(tree, errors.length > 0 ? 'run' : name!), folders);
  return {
    name: name ?? null,
    yaml: configText(errors.length > 0 || job === undefined ? own : job.raw),
    errors: [...errors, ...problems.map((detail) => errorOf(detail, settings !== undefined))],
    warnings: job?.warnings ?? [],
    substitutions: job?.substitutions ?? [],
  };
}

const NOTHING = { warnings: [], substitutions: [] } as const;

type Tree = Readonly<Record<string, unknown>>;

function read(
  tree: Tree,
  folders: Api['folders'],
): { readonly job?: TrainingJob; readonly problems: readonly string[] } {
  try {
    const jobs = readJobTree('job', tree, { environment: {}, place: serverPlaces(folders) });
    if (jobs.length === 1) return { job: jobs[0], problems: [] };
    return { problems: ['config.process: a run has one process; make a run of each'] };
  } catch (error) {
    if (!(error instanceof NoodleError) || error.code !== 'TRAINING_JOB') throw error;
    return { problems: error.details.problems as readonly string[] };
  }
}

/** Where a problem lies, which begins with the path of its key. */
function errorOf(detail: string, isSettings: boolean): ProblemPart {
  if (!isSettings) return { pointer: '/yaml', detail };
  const setting = settingOf(/^[\w.[\]]+/.exec(detail)?.[0] ?? '');
  return { pointer: setting === undefined ? '/settings' : `/settings/${setting}`, detail };
}

function nameErrors(name: string | undefined): ProblemPart[] {
  if (name === undefined) return [{ pointer: '/name', detail: 'the run needs a name' }];
  if (isRunName(name)) return [];
  return [{ pointer: '/name', detail: 'cannot be the name of a folder here' }];
}

/** The job with the run's own name and folder in it, of which it may say something else. */
function ownTree(given: unknown, name: string): Tree {
  if (!isTree(given)) return {};
  const { config } = given;
  if (!isTree(config)) return given;
  const list = Array.isArray(config.process) ? (config.process as unknown[]) : undefined;
  const process = list?.map((each) => {
    if (!isTree(each)) return each;
    const { name: _, ...rest } = each;
    return { ...rest, training_folder: FOLDER };
  });
  return { ...given, config: { ...config, name, ...(process === undefined ? {} : { process }) } };
}

/** The name that a job file gives its run. */
function nameIn(tree: unknown): string | undefined {
  const config = isTree(tree) && isTree(tree.config) ? tree.config : {};
  const [process] = Array.isArray(config.process) ? (config.process as unknown[]) : [];
  const names = [isTree(process) ? process.name : undefined, config.name];
  return names.find((name): name is string => typeof name === 'string' && name !== '');
}

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

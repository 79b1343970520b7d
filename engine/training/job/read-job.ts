/** Reads job files of the form that ai-toolkit's `sd_trainer` made common. */
import { NoodleError } from '../../errors.ts';
import { Complaint, type Place, type Reading, newReading } from './findings.ts';
import type { TrainingJob } from './job.ts';
import { type Outline, outlineOf, runName } from './outline.ts';
import { parseJob, plain } from './parse.ts';
import { readSection, reading } from './read-section.ts';
import { isMapping, whole } from './readers.ts';
import { type Rows, type Values, rowOf } from './row.ts';
import { rules } from './rules.ts';
import { sampleSettings } from './samples.ts';
import { datasetRows, datasetSettings } from './sections/dataset.ts';
import { modelRows, modelSettings } from './sections/model.ts';
import { networkRows, networkSettings } from './sections/network.ts';
import { environmentRows, processRows } from './sections/process.ts';
import { sampleRows } from './sections/sample.ts';
import { loggingRows, saveRows } from './sections/save.ts';
import { trainRows, trainSettings } from './sections/train.ts';

export interface JobContext {
  /** Takes the place of `config.name`. */
  readonly name?: string;
  /** What `${VAR}` may name, and the variables that upstream reads. For files of others: {}. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where paths lead. */
  readonly place: Place;
}

type Tree = Readonly<Record<string, unknown>>;

/**
 * The jobs of a file's text, one for each of its processes, in order. The ending of its name says how it is written.
 * Throws TRAINING_JOB with everything that is wrong with it.
 */
export const readJobs = (file: string, text: string, context: JobContext): TrainingJob[] =>
  complaining(file, () => jobsOf(parseJob(file, text, context.environment), context));

/** The jobs of a tree that is read already; `subject` names it in errors. Throws as `readJobs` does. */
export const readJobTree = (subject: string, tree: unknown, context: JobContext): TrainingJob[] =>
  complaining(subject, () =>
    jobsOf(
      plain(tree, (text) => text),
      context,
    ),
  );

function complaining<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Complaint)) throw error;
    throw new NoodleError('TRAINING_JOB', { file, problems: error.problems });
  }
}

function jobsOf(tree: unknown, context: JobContext): TrainingJob[] {
  if (!isMapping(tree)) throw new Complaint('expected keys with values');
  const outline = outlineOf(tree, context.name);
  const readings = outline.processes.map((process) => {
    const found = newReading(context.place);
    return { job: readProcess(process, outline, context, found), found };
  });
  const problems = readings.flatMap(({ found }) => found.problems);
  if (problems.length > 0) throw new Complaint(...problems);
  return readings.map(({ job }) => job);
}

/** The job of a process, to be thrown away where something was found wrong with it. */
function readProcess(
  given: Tree,
  { name: jobName, meta, tree }: Outline,
  { environment }: JobContext,
  found: Reading,
): TrainingJob {
  noteEnvironment(environment, found);
  const process = readSection(processRows, given, '', found);
  const trigger = process.triggerWord;
  const name = process.name ?? jobName;
  const nameKey = process.name === undefined ? 'config.name' : 'name';
  if (process.network === undefined) {
    found.problems.push('full fine-tune is not supported; add a network section');
  }
  const part = <R extends Rows>(rows: R, section: Tree | undefined, at: string): Values<R> =>
    readSection(rows, section ?? {}, at, found);
  const samples = (section: Tree | undefined, at: string): TrainingJob['sample'] =>
    sampleSettings(part(sampleRows, section, at), trigger, at, found);

  const train = trainSettings(part(trainRows, process.train, 'train.'), 'train.', found);
  const job: TrainingJob = {
    name: reading(nameKey, name, found, () => runName(name)),
    trainingFolder: process.trainingFolder,
    trigger,
    seed: process.trainingSeed ?? seedOf(environment, found),
    stopsOnNotFinite: environment.DEBUG_TOOLKIT === '1',
    modelsPath: environment.MODELS_PATH,
    network: networkSettings(part(networkRows, process.network, 'network.')),
    train,
    model: modelSettings(part(modelRows, process.model, 'model.'), 'model.', found),
    datasets: datasetsOf(process.datasets, { ...train, trigger }, found),
    save: part(saveRows, process.save, 'save.'),
    sample: samples(process.sample, 'sample.'),
    firstSample: process.firstSample && samples(process.firstSample, 'first_sample.'),
    logging: part(loggingRows, process.logging, 'logging.'),
    meta,
    substitutions: found.substitutions,
    warnings: found.warnings,
    raw: { ...tree, meta: { ...meta, substitutions: found.substitutions } },
  };
  for (const rule of rules) {
    const problem = rule(job);
    if (problem !== undefined) found.problems.push(problem);
  }
  return job;
}

function datasetsOf(
  list: unknown,
  process: Parameters<typeof datasetSettings>[1],
  found: Reading,
): TrainingJob['datasets'] {
  if (!Array.isArray(list) || list.length === 0) {
    found.problems.push('datasets: expected a list of at least one data set');
    return [];
  }
  return list.flatMap((given: unknown, i) => {
    const at = `datasets[${i}]`;
    if (!isMapping(given)) {
      found.problems.push(`${at}: expected keys with values`);
      return [];
    }
    if (!given.folder_path && !given.dataset_path)
      found.problems.push(`${at}.folder_path is missing`);
    return datasetSettings(readSection(datasetRows, given, `${at}.`, found), process);
  });
}

/** SEED seeds what the file does not. */
function seedOf({ SEED }: JobContext['environment'], found: Reading): number | undefined {
  if (SEED === undefined || SEED === '') return undefined;
  return reading('SEED', undefined, found, () => whole()(Number(SEED), 'SEED', found));
}

/** Says which of upstream's variables have no effect. */
function noteEnvironment(environment: JobContext['environment'], found: Reading): void {
  const set = Object.entries(environment).filter(([name]) => rowOf(environmentRows, name));
  readSection(environmentRows, Object.fromEntries(set), '', found);
}

/** What every job file has around its settings: the kind of job, its name, its processes. */
import { nameProblem } from '../../store/names.ts';
import { Complaint, shown } from './findings.ts';
import { plain } from './parse.ts';
import { isMapping } from './readers.ts';
import { rowOf } from './row.ts';
import { runFiles, saveName } from './run-files.ts';
import { forms } from './sections/process.ts';

type Tree = Readonly<Record<string, unknown>>;

export interface Outline {
  /** The file with `[name]` replaced. */
  readonly tree: Tree;
  /** Of the job. */
  readonly name: string;
  readonly meta: Tree;
  /** Each trains. */
  readonly processes: readonly Tree[];
}

/**
 * Finds the processes of a job file. `asked` is used for its name. Throws a `Complaint` naming what is missing, or what
 * kind of job cannot run here.
 */
export function outlineOf(given: Tree, asked?: string): Outline {
  const config = present(given, 'config');
  if (!isMapping(config)) throw new Complaint('"config": expected keys with values');
  const name = asked ?? present(config, 'name', 'config.');
  if (typeof name !== 'string' && typeof name !== 'number') {
    throw new Complaint('"config.name": expected a text');
  }
  const job = String(present(given, 'job'));
  const named = { ...given, config: { ...config, name } };
  const tree = plain(named, (text) => text.replaceAll('[name]', String(name))) as Tree;
  // Those that a run's config.yaml has are found again.
  const { substitutions: _, ...meta } = isMapping(tree.meta) ? tree.meta : {};
  return {
    tree,
    name: String((tree.config as Tree).name),
    meta,
    processes: processesOf(job, (tree.config as Tree).process),
  };
}

function processesOf(job: string, list: unknown): Tree[] {
  if (!Object.hasOwn(forms, job)) throw new Complaint(`Unknown job type ${shown(job)}`);
  if (list === undefined || list === null) throw new Complaint('Missing "config.process" key');
  if (!Array.isArray(list) || list.length === 0) {
    throw new Complaint('"config.process": expected a list of at least one process');
  }
  return list.map((process: unknown, i) => {
    const at = `config.process[${i}]`;
    if (!isMapping(process)) throw new Complaint(`"${at}": expected keys with values`);
    const type = String(present(process, 'type', `${at}.`));
    const row = rowOf(forms[job], type);
    if (row === undefined) throw new Complaint(`Unknown process type: ${shown(type)}`);
    if (row !== 'trains') throw new Complaint(`${at}.type: ${type} is not supported: ${row}`);
    return process;
  });
}

function present(tree: Tree, key: string, at = ''): unknown {
  const value = Object.hasOwn(tree, key) ? tree[key] : undefined;
  if (value === undefined || value === null || value === '') {
    throw new Complaint(`Missing "${at}${key}" key`);
  }
  return value;
}

/**
 * A name that a run can have: it names its folder and, with the step behind it, its files. Throws a `Complaint` for
 * others.
 */
export function runName(name: string): string {
  const problem = /[\\/]/.test(name)
    ? 'has a slash'
    : (nameProblem(name) ?? nameProblem(saveName(name, 0)) ?? takenProblem(name));
  if (problem === undefined) return name;
  throw new Complaint(`'${shown(name)}' names no run: it ${problem}`);
}

const takenProblem = (name: string): string | undefined =>
  saveName(name) === runFiles.optimizer ? 'names the state of every run' : undefined;

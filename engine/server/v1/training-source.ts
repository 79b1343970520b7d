/** Jobs as they come over the API: usual settings or a job file, made into the file that a run has. */
import { parseDocument, stringify } from 'yaml';
import { placePaths, processesOf } from '../../training/runs/places.ts';
import { isRunName } from '../../training/runs/runs.ts';
import { jobOfSettings } from '../../training/runs/settings.ts';
import type { Api } from './api.ts';
import { ProblemError } from './problem.ts';
import type { ProblemPart } from './schemas.ts';
import type { RunSettings } from './training-settings.ts';

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
export function checkSource(source: JobSource, api: Pick<Api, 'folders'>): CheckedJob {
  const { settings, yaml } = source;
  if ((settings === undefined) === (yaml === undefined)) {
    const detail = 'Either settings or yaml says what is trained.';
    throw new ProblemError({ status: 400, code: 'validation_failed', detail });
  }
  const { tree, errors } =
    yaml === undefined
      ? { tree: jobOfSettings(source.name ?? '', settings!), errors: [] }
      : readYaml(yaml);
  return checkTree(tree, errors, source, api);
}

function checkTree(
  given: unknown,
  unreadable: readonly ProblemPart[],
  { name: wanted, yaml }: JobSource,
  { folders }: Pick<Api, 'folders'>,
): CheckedJob {
  const at = yaml === undefined ? '/settings' : '/yaml';
  if (unreadable.length > 0) {
    return { ...NOTHING, name: wanted ?? null, yaml: yaml ?? '', errors: unreadable };
  }
  const name = wanted ?? nameIn(given);
  const tree = ownTree(given, name);
  const { problems } = placePaths(tree, folders);
  const errors: ProblemPart[] = problems.map((detail) => ({ pointer: at, detail }));
  if (name === undefined) errors.push({ pointer: '/name', detail: 'the run needs a name' });
  else if (!isRunName(name)) {
    errors.push({ pointer: '/name', detail: 'cannot be the name of a folder here' });
  }
  if (processesOf(tree).length === 0) {
    errors.push({ pointer: at, detail: 'config.process is missing' });
  }
  return { ...NOTHING, name: name ?? null, yaml: stringify(tree), errors };
}

const NOTHING = { warnings: [], substitutions: [] } as const;

/** The tree of a job file; anchors and merge keys work, bombs of them are refused. */
function readYaml(text: string): { tree: unknown; errors: ProblemPart[] } {
  const document = parseDocument(text, { version: '1.1', merge: true });
  const errors = document.errors.map(({ message }) => ({ pointer: '/yaml', detail: message }));
  if (errors.length > 0) return { tree: undefined, errors };
  try {
    return { tree: document.toJS({ maxAliasCount: 100 }), errors };
  } catch (error) {
    return { tree: undefined, errors: [{ pointer: '/yaml', detail: (error as Error).message }] };
  }
}

/** The job with the run's own name and folder in it. */
function ownTree(given: unknown, name: string | undefined): unknown {
  const tree: unknown = structuredClone(given);
  if (!isTree(tree) || !isTree(tree.config)) return tree;
  if (name !== undefined) tree.config.name = name;
  for (const process of processesOf(tree)) process.training_folder = FOLDER;
  return tree;
}

function nameIn(tree: unknown): string | undefined {
  const name = isTree(tree) && isTree(tree.config) ? tree.config.name : undefined;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

const isTree = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

import { asArray, isRecord } from '../../engine/workflow/records.ts';
import { isModelFile } from './model-file-name.ts';

/** A folder of the server that has model files. */
export interface ModelFolder {
  readonly name: string;
  readonly files: readonly Model[];
}

export interface Model {
  readonly name: string;
  /** Which of the folder's places it lies in. */
  readonly place: number;
  readonly bytes: number;
}

/** The whole address of a path of the server. */
type Address = (path: string) => string;

/** All folders that have model files, with the files. */
export async function listModels(url: Address): Promise<readonly ModelFolder[]> {
  const get = (path: string): Promise<unknown> =>
    fetch(url(path))
      .then((response) => (response.ok ? response.json() : []) as Promise<unknown>)
      .catch(() => []);
  const names = asArray(await get('experiment/models'))
    .filter(isRecord)
    .map(({ name }) => String(name));
  const folders = await Promise.all(
    names.map(async (name) => ({
      name,
      files: asArray(await get(`experiment/models/${encodeURIComponent(name)}`))
        .filter(isRecord)
        .map((file) => ({
          name: String(file.name),
          place: Number(file.pathIndex) || 0,
          bytes: Number(file.size),
        })),
    })),
  );
  return folders.filter(({ files }) => files.length > 0);
}

/** The address of the picture that lies beside a model file; nothing comes (204) where none does. */
export function previewOf(url: Address, folder: string, { name, place }: Model): string {
  const path = name.split(/[\\/]/).map(encodeURIComponent).join('/');
  return url(`experiment/models/preview/${encodeURIComponent(folder)}/${place}/${path}?optional`);
}

/** Pictures of model files, by name. */
export type Pictures = ReadonlyMap<string | number, string>;

/** Finds the pictures of the model files among some choices. */
export type ModelPictures = (choices: readonly (string | number)[]) => Promise<Pictures>;

/**
 * Finds the folder that choices are the files of: a node does not tell which one it reads. The
 * folders are listed once, and again when some choice is in none of them.
 */
export function createModelPictures(url: Address): ModelPictures {
  let listed: Promise<readonly ModelFolder[]> | null = null;
  return async (choices) => {
    const names = new Set(choices.filter(isModelFile));
    let best = bestFolder(names, await (listed ??= listModels(url)));
    if (best.found < names.size) {
      listed = listModels(url);
      best = bestFolder(names, await listed);
    }
    const { folder } = best;
    const files = folder === null ? [] : folder.files.filter(({ name }) => names.has(name));
    return new Map(
      files.map((model) => [model.name, previewOf(url, folder?.name ?? '', model)] as const),
    );
  };
}

/** The folder with the most files of those names, and how many that are. */
function bestFolder(
  names: ReadonlySet<string>,
  folders: readonly ModelFolder[],
): { folder: ModelFolder | null; found: number } {
  let best: { folder: ModelFolder | null; found: number } = { folder: null, found: 0 };
  for (const folder of folders) {
    const found = folder.files.filter(({ name }) => names.has(name)).length;
    if (found > best.found) best = { folder, found };
  }
  return best;
}

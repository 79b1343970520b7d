/** Where assets may lie, and what a file's place says of it: tags, loader path, address. */
import { basename, extname, relative, sep } from 'node:path';
import { NoodleError } from '../errors.ts';
import type { Folders } from '../store/folders.ts';
import { type Links, resolveInside } from '../store/paths.ts';

export type RootName = 'models' | 'input' | 'output';
/** What a scan looks through; temp is emptied at every start and never scanned. */
export const SCAN_ROOTS: readonly RootName[] = ['models', 'input', 'output'];

interface ModelRoot {
  readonly name: string;
  readonly paths: readonly string[];
  /** Empty: every file. */
  readonly extensions: readonly string[];
}

/** Plain data: it crosses to the assets' thread. */
export interface AssetRoots {
  readonly input: string;
  readonly output: string;
  readonly temp: string;
  readonly models: readonly ModelRoot[];
  /** Where links in input, output and temp may lead. */
  readonly links: Links;
}

/** What a path says of its file. */
export interface Place {
  readonly root: RootName | 'temp';
  /** The folder below which the file was found. */
  readonly base: string;
  /** Name below `base`, with forward slashes. */
  readonly name: string;
  readonly tags: readonly string[];
  /** What a loader node is given to load the file. */
  readonly loaderPath?: string;
  /** Label for people; not unique. */
  readonly displayName: string;
}

/** Folders that hold no models although they are listed among them. */
const NOT_MODELS = new Set(['configs', 'custom_nodes']);

/** Folders of the input directory that front ends write to; the file gets their name as a tag. */
const INPUT_TAGS = new Set(['3d', 'pasted', 'painter', 'threed', 'webcam']);

/** The roots of an installation. */
export function assetRoots(folders: Folders): AssetRoots {
  const { input, output, temp, links } = folders;
  const models = folders
    .modelFolders()
    .filter((name) => !NOT_MODELS.has(name))
    .map((name) => ({
      name,
      paths: [...(folders.modelPaths(name) ?? [])],
      extensions: [...(folders.modelExtensions(name) ?? [])],
    }));
  return { input, output, temp, models, links };
}

/** Every folder of a root. */
export function basesOf(roots: AssetRoots, root: RootName | 'temp'): string[] {
  if (root !== 'models') return [roots[root]];
  return [...new Set(roots.models.flatMap(({ paths }) => paths))];
}

/** The place of an absolute path; undefined outside of all roots. */
export function placeOf(roots: AssetRoots, path: string): Place | undefined {
  const kinds = modelKinds(roots, path);
  const modelTags =
    kinds.length === 0
      ? []
      : [
          'models',
          ...kinds.filter(({ loads }) => loads).map(({ folder }) => `model_type:${folder.name}`),
        ];
  for (const root of ['input', 'output', 'temp'] as const) {
    const base = roots[root];
    if (!isBelow(base, path)) continue;
    const name = slashed(relative(base, path));
    const [folder, ...rest] = name.split('/');
    const known = root === 'input' && rest.length === 1 && INPUT_TAGS.has(folder) ? [folder] : [];
    const tags = [...new Set([root, ...modelTags, ...known])];
    return { root, base, name, tags, loaderPath: name, displayName: name };
  }
  const deepest = kinds.toSorted((a, b) => b.base.length - a.base.length);
  const found = deepest.find(({ loads }) => loads) ?? deepest.at(0);
  if (found === undefined) return undefined;
  const name = slashed(relative(found.base, path));
  return {
    root: 'models',
    base: found.base,
    name,
    tags: modelTags,
    loaderPath: found.loads ? name : undefined,
    displayName: `${basename(found.base)}/${name}`,
  };
}

/** Whether a model folder lists files of this name. */
export const loads = ({ extensions }: ModelRoot, name: string): boolean =>
  extensions.length === 0 || extensions.includes(extname(name).toLowerCase());

function modelKinds(
  { models }: AssetRoots,
  path: string,
): { folder: ModelRoot; base: string; loads: boolean }[] {
  return models.flatMap((folder) => {
    const base = folder.paths.find((candidate) => isBelow(candidate, path));
    return base === undefined ? [] : [{ folder, base, loads: loads(folder, path) }];
  });
}

/**
 * The folder that an upload's tags name: exactly one of `input`, `output`, `models`, and with
 * `models` exactly one `model_type:<folder>`. Throws INVALID_BODY for anything else.
 */
export function destinationOf(
  roots: AssetRoots,
  tags: readonly string[],
): { base: string; model?: ModelRoot } {
  const refuse = (reason: string): never => {
    throw new NoodleError('INVALID_BODY', { reason });
  };
  const named = tags.filter((tag) => (SCAN_ROOTS as readonly string[]).includes(tag));
  if (named.length !== 1) {
    return refuse('uploads require exactly one destination tag: input, models or output');
  }
  if (named[0] !== 'models') return { base: roots[named[0] as 'input' | 'output'] };
  const types = tags.filter((tag) => tag.startsWith('model_type:'));
  const type = types[0]?.slice('model_type:'.length);
  if (types.length !== 1 || type === '') {
    return refuse('uploads to models require exactly one model_type:<folder> tag');
  }
  const model = roots.models.find(({ name }) => name === type);
  if (model === undefined || model.paths.length === 0) {
    return refuse(`unknown model folder '${type}'`);
  }
  return { base: model.paths[0], model };
}

/**
 * The real path of a file that may be served: still below its root with every link followed (links
 * in model folders are the administrator's). Undefined when it is gone or leads elsewhere.
 */
export function servablePath(roots: AssetRoots, path: string): string | undefined {
  const place = placeOf(roots, path);
  if (place === undefined) return undefined;
  try {
    return resolveInside(place.base, place.name, {
      mustExist: true,
      links: place.root === 'models' ? 'follow' : roots.links,
    });
  } catch (error) {
    if (error instanceof NoodleError) return undefined;
    throw error;
  }
}

/** Where GET /view shows the file; undefined for models. */
export function viewAddress(roots: AssetRoots, path: string): string | undefined {
  const place = placeOf(roots, path);
  if (place === undefined || place.root === 'models') return undefined;
  const cut = place.name.lastIndexOf('/');
  const filename = encodeURIComponent(place.name.slice(cut + 1));
  const subfolder = cut < 0 ? '' : `&subfolder=${encodeURIComponent(place.name.slice(0, cut))}`;
  return `/api/view?type=${place.root}&filename=${filename}${subfolder}`;
}

/** First and last (exclusive) of all paths below a folder, in the order of their characters. */
export function pathRange(base: string): [from: string, to: string] {
  const start = base.endsWith(sep) ? base : base + sep;
  return [start, start.slice(0, -1) + String.fromCharCode(sep.charCodeAt(0) + 1)];
}

/** Both are normalised; a folder is not below itself. */
const isBelow = (base: string, path: string): boolean =>
  path.startsWith(base) && (base.endsWith(sep) || path[base.length] === sep);

const slashed = (path: string): string => (sep === '/' ? path : path.split(sep).join('/'));

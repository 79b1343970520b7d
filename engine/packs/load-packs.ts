/** Custom node packs: modules that export node definitions, loaded into this process. */
import { realpathSync } from 'node:fs';
import { register } from 'node:module';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkDefinition } from './check-definition.ts';
import type { NodeDefinition } from '../graph/definition.ts';
import { entryFile, isFolder, packId } from './find-packs.ts';

export interface LoadPacksOptions {
  /** Packs in the order in which they are loaded; see `findPacks`. */
  readonly paths: readonly string[];
  /** Names that are taken: built-in nodes. */
  readonly builtin: Pick<ReadonlySet<string>, 'has'>;
  /** Hears before a pack's code runs: a pack may end the process or never come to an end. */
  readonly onLoading?: (path: string) => Promise<void>;
}

export interface LoadedPack {
  /** Its folder's or file's name. */
  readonly id: string;
  /** `name` export, else the id. */
  readonly name: string;
  readonly path: string;
  /** Absolute folder of files for the web page, served as `/extensions/<id>`. */
  readonly webDirectory?: string;
  /** Class names it added. */
  readonly nodes: readonly string[];
}

export interface PackProblem {
  /** Id. */
  readonly pack: string;
  readonly error: string;
  readonly stack?: string;
}

export interface LoadedPacks {
  /** The packs' nodes in loading order (built-in ones are not repeated). */
  readonly nodes: ReadonlyMap<string, NodeDefinition>;
  readonly packs: readonly LoadedPack[];
  readonly problems: readonly PackProblem[];
}

/**
 * Loads packs one after the other. Never throws: what is broken becomes a problem and the rest loads.
 * The first node of a name wins, built-in ones first.
 */
export async function loadPacks(options: LoadPacksOptions): Promise<LoadedPacks> {
  if (options.paths.length > 0) await offerNodeApi();
  const nodes = new Map<string, NodeDefinition>();
  const packs: LoadedPack[] = [];
  const problems: PackProblem[] = [];
  const owners = new Map<string, string>();
  for (const path of options.paths) {
    const id = packId(path);
    const report = (error: string, stack?: string): void =>
      void problems.push({ pack: id, error, stack });
    try {
      const twin = packs.find((pack) => pack.id === id);
      if (twin !== undefined) throw new Error(`a pack of this name was loaded from ${twin.path}`);
      const entry = entryFile(path);
      await options.onLoading?.(path);
      const pack = await readPack(entry, id, report);
      const added: string[] = [];
      for (const value of pack.nodes) {
        const checked = checkDefinition(value, `custom_nodes.${id}`);
        if ('problem' in checked) {
          report(checked.problem);
          continue;
        }
        const { definition } = checked;
        const owner = options.builtin.has(definition.name)
          ? 'the built-in nodes'
          : owners.get(definition.name);
        if (owner !== undefined) {
          report(`node ${definition.name} is already defined by ${owner}; that one is kept`);
          continue;
        }
        owners.set(definition.name, `pack ${id}`);
        nodes.set(definition.name, definition);
        added.push(definition.name);
      }
      const { name } = pack;
      packs.push({ id, name, path, nodes: added, ...webDirectoryOf(path, pack, report) });
    } catch (error) {
      if (error instanceof Error) report(error.message, error.stack);
      else report(String(error));
    }
  }
  return { nodes, packs, problems };
}

let offered = false;

/**
 * Makes `noodle/node` mean engine/node.ts wherever a pack lies: packages find their own name only
 * from within, and a pack may be a package of its own or lie in another folder altogether. And makes
 * packs ES modules without a package.json that says so: as CommonJS they would get an engine/node.ts
 * of their own, whose ExecutionBlocker nobody knows.
 */
async function offerNodeApi(): Promise<void> {
  if (offered) return;
  offered = true;
  await import(new URL('../../bin/typescript-packs.js', import.meta.url).href);
  const api = JSON.stringify(new URL('../node.ts', import.meta.url).href);
  const hook = `export async function resolve(name, context, next) {
    const found = await next(name === 'noodle/node' ? ${api} : name, context);
    // On Node 20 tsx marks a script that another one imports, in order to read it as CommonJS.
    const url = found.url.replace(/(%3F|[?])tsx-commonjs-.*$/, '');
    const isPack = /^file:[^?#]*\\.[jt]s([?#]|$)/.test(url) && !url.includes('/node_modules/');
    // Node 20 says 'commonjs' here; 22 and later leave it open and then guess from the text.
    return isPack && found.format !== 'module' ? { ...found, url, format: 'module' } : found;
  }`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}

interface PackExports {
  readonly name: string;
  readonly nodes: readonly unknown[];
  readonly webDirectory?: string;
}

type Report = (error: string) => void;

/** What a pack's module exports, by name or as its default export. */
async function readPack(entry: string, id: string, report: Report): Promise<PackExports> {
  const checkTraces = watchTraces(report);
  let module: Record<string, unknown>;
  try {
    module = (await import(pathToFileURL(entry).href)) as Record<string, unknown>;
  } finally {
    checkTraces();
  }
  const fallback = (module.default ?? {}) as Record<string, unknown>;
  const { nodes, name, webDirectory } = { ...fallback, ...module };
  if (!Array.isArray(nodes))
    throw new Error("expected an export 'nodes': a list of node definitions");
  return {
    nodes,
    name: typeof name === 'string' && name !== '' ? name : id,
    webDirectory: typeof webDirectory === 'string' ? webDirectory : undefined,
  };
}

/** What every object, list, text and function has, for whoever looks at it. */
const SHARED = { Object, Array, String, Number, Function, Promise };

/** Reports what loading a pack left behind for all others in the process; undoes what can be undone. */
function watchTraces(report: Report): () => void {
  const folder = process.cwd();
  const keysOf = (): string[] =>
    Object.entries(SHARED).flatMap(([name, { prototype }]) =>
      Reflect.ownKeys(prototype as object).map((key) => `${name}.prototype.${String(key)}`),
    );
  const before = new Set(keysOf());
  return () => {
    const added = keysOf().filter((key) => !before.has(key));
    if (added.length > 0) report(`it adds ${added.join(', ')}, which every other pack sees`);
    if (process.cwd() === folder) return;
    process.chdir(folder);
    report('it changes the working directory; that is undone');
  };
}

/** A pack shows the page one folder of its own, never anything outside of the pack. */
function webDirectoryOf(
  path: string,
  { webDirectory }: PackExports,
  report: Report,
): { webDirectory?: string } {
  if (webDirectory === undefined) return {};
  const isPackFolder = isFolder(path);
  const root = isPackFolder ? path : dirname(path);
  const folder = resolve(root, webDirectory);
  if (!isFolder(folder)) {
    report(`webDirectory ${webDirectory} is not a folder of the pack`);
    return {};
  }
  const inside = relative(realpathSync(root), realpathSync(folder));
  // A single file's neighbours are other packs.
  const isOwn = inside === '' ? isPackFolder : !isAbsolute(inside) && inside.split(sep)[0] !== '..';
  if (isOwn) return { webDirectory: folder };
  report(`webDirectory ${webDirectory} lies outside the pack`);
  return {};
}

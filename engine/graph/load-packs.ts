/** Custom node packs: folders and files that export node definitions, found and loaded at start. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkDefinition } from './check-definition.ts';
import type { NodeDefinition, NodeRegistry } from './definition.ts';

export interface LoadPacksOptions {
  /** `custom_nodes` folders; a missing one is skipped. */
  readonly directories: readonly string[];
  /** Names that are taken: built-in nodes. */
  readonly builtin: NodeRegistry;
  /** --disable-all-custom-nodes: only packs of the white list are loaded. */
  readonly disableAll?: boolean;
  readonly whitelist?: readonly string[];
}

export interface LoadedPack {
  /** `name` export, else the folder's or file's name. */
  readonly name: string;
  readonly path: string;
  /** Absolute folder of files for the web page, served as `/extensions/<name>`. */
  readonly webDirectory?: string;
  /** Class names it added. */
  readonly nodes: readonly string[];
}

export interface PackProblem {
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

const EXTENSIONS = ['.ts', '.js', '.mjs'];

/**
 * Loads all packs: `<pack>/index.ts|js|mjs` and single files, in name order. Never throws: what is
 * broken becomes a problem and the rest loads. The first node of a name wins, built-in ones first.
 */
export async function loadPacks(options: LoadPacksOptions): Promise<LoadedPacks> {
  const nodes = new Map<string, NodeDefinition>();
  const packs: LoadedPack[] = [];
  const problems: PackProblem[] = [];
  const owners = new Map<string, string>();
  for (const path of findPacks(options)) {
    const id = packId(path);
    const report = (error: string, stack?: string): void =>
      void problems.push({ pack: id, error, ...(stack === undefined ? {} : { stack }) });
    try {
      const entry = entryFile(path);
      const pack = await readPack(entry, id);
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
      packs.push({ name: pack.name, path, nodes: added, ...webDirectoryOf(path, pack, report) });
    } catch (error) {
      if (error instanceof Error) report(error.message, error.stack);
      else report(String(error));
    }
  }
  return { nodes, packs, problems };
}

/**
 * Paths of packs that are to be loaded: no names ending in `.disabled` or starting with a dot, no
 * declarations and no tests.
 */
function findPacks({ directories, disableAll, whitelist = [] }: LoadPacksOptions): string[] {
  const found: string[] = [];
  for (const directory of directories) {
    if (!existsSync(directory)) continue;
    for (const name of readdirSync(directory).sort()) {
      const path = join(directory, name);
      if (name.startsWith('.') || name.endsWith('.disabled') || name === '__pycache__') continue;
      if (
        !isFolder(path) &&
        (!EXTENSIONS.includes(extname(name)) || /\.(d|test)\.[jt]s$/.test(name))
      )
        continue;
      const listed = whitelist.includes(name) || whitelist.includes(packId(path));
      if (disableAll !== true || listed) found.push(resolve(path));
    }
  }
  return found;
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

const packId = (path: string): string =>
  EXTENSIONS.includes(extname(path)) && !isFolder(path)
    ? basename(path, extname(path))
    : basename(path);

function entryFile(path: string): string {
  if (!isFolder(path)) return path;
  const entry = EXTENSIONS.map((extension) => join(path, `index${extension}`)).find(existsSync);
  if (entry !== undefined) return entry;
  throw new Error(
    existsSync(join(path, '__init__.py'))
      ? 'a Python pack: expected index.ts, index.js or index.mjs'
      : 'expected index.ts, index.js or index.mjs',
  );
}

interface PackExports {
  readonly name: string;
  readonly nodes: readonly unknown[];
  readonly webDirectory?: string;
}

/** What a pack's module exports, by name or as its default export. */
async function readPack(entry: string, id: string): Promise<PackExports> {
  const module = (await import(pathToFileURL(entry).href)) as Record<string, unknown>;
  const fallback = (module.default ?? {}) as Record<string, unknown>;
  const { nodes, name, webDirectory } = { ...fallback, ...module };
  if (!Array.isArray(nodes))
    throw new Error("expected an export 'nodes': a list of node definitions");
  return {
    nodes,
    name: typeof name === 'string' && name !== '' ? name : id,
    ...(typeof webDirectory === 'string' ? { webDirectory } : {}),
  };
}

function webDirectoryOf(
  path: string,
  { webDirectory }: PackExports,
  report: (error: string) => void,
): { webDirectory?: string } {
  if (webDirectory === undefined) return {};
  const root = isFolder(path) ? path : join(path, '..');
  const folder = resolve(root, webDirectory);
  if (isFolder(folder)) return { webDirectory: folder };
  report(`webDirectory ${webDirectory} is not a folder of the pack`);
  return {};
}

/** All nodes of an installation: the built-in ones and those of the packs in custom_nodes. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { NodeDefinition } from '../engine/node.ts';
import type { NodeRegistry } from '../engine/graph/definition.ts';
import type { Folders } from '../engine/store/folders.ts';
import { builtinNodes } from './index.ts';

type Log = (level: string, text: string) => void;

/** Files that a pack's folder is entered by, in order of preference. */
const ENTRIES = ['index.ts', 'index.js', 'index.mjs'];

/**
 * The registry that servers and engines work with. A pack is a folder with an index file, or a single
 * file, that exports `nodes`. One that cannot be loaded is reported to `log` and left out; a class
 * name that is taken by a built-in node stays that node's.
 */
export async function loadNodes(
  folders: Pick<Folders, 'modelPaths'>,
  packs: 'all' | readonly string[],
  log: Log,
): Promise<NodeRegistry> {
  const nodes = builtinNodes();
  const builtin = new Set(nodes.keys());
  for (const { name, entry } of findPacks(folders.modelPaths('custom_nodes') ?? [], log)) {
    if (packs !== 'all' && !packs.includes(name)) continue;
    try {
      for (const node of await importNodes(entry)) {
        if (!builtin.has(node.name)) nodes.set(node.name, node);
        else log('WARNING', `pack '${name}': ${node.name} is a built-in node and stays it`);
      }
    } catch (error) {
      log('ERROR', `pack '${name}' was not loaded: ${(error as Error).stack ?? String(error)}`);
    }
  }
  return nodes;
}

/** Packs of all folders, by name; what only Python could run is reported. */
function findPacks(roots: readonly string[], log: Log): { name: string; entry: string }[] {
  return roots
    .filter((root) => existsSync(root))
    .flatMap((root) =>
      readdirSync(root, { withFileTypes: true })
        .filter(({ name }) => !/^\.|\.disabled$|^__pycache__$|\.d\.ts$/.test(name))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .flatMap(({ name }) => {
          const path = join(root, name);
          if (/\.(ts|m?js)$/.test(name)) return [{ name, entry: path }];
          const index = ENTRIES.map((file) => join(path, file)).find(existsSync);
          if (index !== undefined) return [{ name, entry: index }];
          if (existsSync(join(path, '__init__.py')) || name.endsWith('.py')) {
            log('WARNING', `pack '${name}' is written in Python and cannot run here`);
          }
          return [];
        }),
    );
}

/** A pack's module; what it exports is checked as far as the engine relies on it. */
async function importNodes(entry: string): Promise<readonly NodeDefinition[]> {
  const exported = (await import(pathToFileURL(entry).href)) as { nodes?: unknown };
  if (!Array.isArray(exported.nodes)) throw new TypeError('it exports no list named `nodes`');
  for (const node of exported.nodes as Partial<NodeDefinition>[]) {
    const complete =
      typeof node?.name === 'string' &&
      typeof node.run === 'function' &&
      typeof node.inputs === 'object' &&
      Array.isArray(node.outputs);
    if (!complete) throw new TypeError(`'${node?.name ?? '?'}' is not a node definition`);
  }
  return exported.nodes as NodeDefinition[];
}

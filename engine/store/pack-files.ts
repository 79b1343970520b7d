/**
 * What node packs bring besides nodes: translations, example workflows and subgraph blueprints.
 * A pack is a folder directly below one of the custom_nodes folders.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join, sep } from 'node:path';
import { type Json, parseJson } from '../workflow/lossless-json.ts';
import { byCodePoint } from './list-files.ts';

type JsonObject = { [key: string]: Json };

/** Folder names that hold a pack's example workflows, in order of preference. */
const TEMPLATE_FOLDERS = ['example_workflows', 'example', 'examples', 'workflow', 'workflows'];

export interface Pack {
  readonly name: string;
  readonly path: string;
}

/** The packs that are folders, sorted by name. */
export function listPacks(paths: readonly string[]): Pack[] {
  return paths
    .filter(isDirectory)
    .map((path) => ({ name: basename(path), path }))
    .sort((a, b) => byCodePoint(a.name, b.name));
}

/** GET /i18n: language -> merged texts of all packs (dicts merge, lists join, later wins). */
export function packTranslations(packs: readonly Pack[]): JsonObject {
  const merged: JsonObject = {};
  for (const pack of packs) {
    for (const language of names(join(pack.path, 'locales'))) {
      const folder = join(pack.path, 'locales', language);
      if (!isDirectory(folder)) continue;
      const texts = readObject(join(folder, 'main.json'));
      for (const part of ['nodeDefs', 'commands', 'settings']) {
        const extra = readObject(join(folder, `${part}.json`));
        if (Object.keys(extra).length > 0) texts[part] = extra;
      }
      merged[language] = mergeDeep(merged[language] ?? {}, texts);
    }
  }
  return merged;
}

/** GET /workflow_templates: pack -> names of its example workflows. */
export function packTemplates(packs: readonly Pack[]): Record<string, string[]> {
  const templates: Record<string, string[]> = {};
  for (const pack of packs) {
    const found = TEMPLATE_FOLDERS.flatMap((folder) =>
      names(join(pack.path, folder)).filter((name) => name.endsWith('.json')),
    ).map((name) => basename(name, '.json'));
    if (found.length > 0) templates[pack.name] = found;
  }
  return templates;
}

/** The folders of a pack that hold example workflows. */
export function templateFolders(pack: Pack): string[] {
  return TEMPLATE_FOLDERS.map((folder) => join(pack.path, folder)).filter(isDirectory);
}

export interface Subgraph {
  readonly source: 'custom_node' | 'templates';
  readonly name: string;
  readonly info: { readonly node_pack: string };
  readonly path: string;
}

/** Subgraph blueprints by id: `<pack>/subgraphs/*.json` and the program's own `blueprints/*.json`. */
export function listSubgraphs(packs: readonly Pack[], blueprints: string): Map<string, Subgraph> {
  const found = new Map<string, Subgraph>();
  const add = (source: Subgraph['source'], folder: string, node_pack: string): void => {
    for (const file of names(folder)) {
      if (extname(file) !== '.json') continue;
      const path = join(folder, file);
      const id = createHash('sha256')
        .update(source + path.split(sep).join('/'))
        .digest('hex');
      found.set(id, { source, name: basename(file, '.json'), info: { node_pack }, path });
    }
  };
  for (const pack of packs) {
    add('custom_node', join(pack.path, 'subgraphs'), `custom_nodes.${pack.name}`);
  }
  add('templates', blueprints, 'comfyui');
  return found;
}

/** Python's merge of translation files: objects merge, lists join, anything else is replaced. */
export function mergeDeep(base: Json, update: Json): Json {
  if (Array.isArray(base) && Array.isArray(update)) return [...base, ...update];
  if (!isPlain(base) || !isPlain(update)) return update;
  const merged: JsonObject = { ...base };
  for (const [key, value] of Object.entries(update)) {
    if (key === '__proto__') continue;
    merged[key] = Object.hasOwn(merged, key) ? mergeDeep(merged[key], value) : value;
  }
  return merged;
}

const isPlain = (value: Json): value is JsonObject =>
  value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;

function readObject(path: string): JsonObject {
  try {
    const value = parseJson(readFileSync(path, 'utf8'));
    return isPlain(value) ? value : {};
  } catch {
    return {};
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort(byCodePoint);
  } catch {
    return [];
  }
}

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

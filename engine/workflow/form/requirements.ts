/** What a workflow needs to run: classes, and model files that it names or says where to get. */
import { entriesOf, type Json } from '../lossless-json.ts';
import { asArray, isRecord } from '../records.ts';
import type { ApiPrompt } from '../types.ts';
import { modelFolder } from './rules.ts';

export interface NeededModel {
  readonly folder: string;
  readonly name: string;
  /** http or https; null where the workflow does not say. */
  readonly url: string | null;
  readonly hash: string | null;
}

/** Model files that the inputs of a prompt name, with what the file's `models` lists say of them. */
export function neededModels(prompt: ApiPrompt, file: unknown): readonly NeededModel[] {
  const told = new Map(embeddedModels(file).map((model) => [model.name, model]));
  const found = new Map<string, NeededModel>();
  const add = (model: NeededModel): void => {
    const key = `${model.folder}/${model.name}`;
    if (!found.has(key)) found.set(key, model);
  };
  for (const { class_type: type, inputs } of Object.values(prompt)) {
    for (const [input, value] of entriesOf(inputs)) {
      const folder = modelFolder(type, input);
      if (folder === undefined || typeof value !== 'string' || isNone(value)) continue;
      const { url = null, hash = null } = told.get(baseName(value)) ?? {};
      add({ folder, name: value, url, hash });
    }
  }
  const named = new Set([...found.values()].map(({ name }) => baseName(name)));
  for (const model of told.values()) if (!named.has(model.name)) add(model);
  return [...found.values()];
}

/** Nodes by the classes that are not there. */
export function missingClasses(
  prompt: ApiPrompt,
  isKnown: (type: string) => boolean,
): readonly { readonly class_type: string; readonly nodes: readonly string[] }[] {
  const missing = new Map<string, string[]>();
  for (const [id, { class_type: type }] of Object.entries(prompt)) {
    if (!isKnown(type)) missing.set(type, [...(missing.get(type) ?? []), id]);
  }
  return [...missing].map(([type, nodes]) => ({ class_type: type, nodes }));
}

/** ComfyUI's `models` lists: of the whole file and of single nodes, inside subgraphs too. */
function embeddedModels(file: unknown, depth = 0): NeededModel[] {
  if (!isRecord(file) || depth > 50) return [];
  const { nodes, definitions } = file;
  const ofNodes = asArray(nodes).flatMap((node) =>
    isRecord(node) && isRecord(node.properties) ? asArray(node.properties.models) : [],
  );
  const inner = asArray(isRecord(definitions) ? definitions.subgraphs : undefined);
  return [
    ...[...asArray(file.models), ...ofNodes].flatMap(embedded),
    ...inner.flatMap((graph) => embeddedModels(graph, depth + 1)),
  ];
}

function embedded(item: unknown): NeededModel[] {
  if (!isRecord(item) || typeof item.name !== 'string') return [];
  const { name, url, directory, hash } = item;
  return [
    {
      folder: typeof directory === 'string' ? directory : '',
      name,
      url: typeof url === 'string' && /^https?:\/\//i.test(url) ? url : null,
      hash: typeof hash === 'string' ? hash : null,
    },
  ];
}

const baseName = (path: string): string => path.split(/[\\/]/).at(-1)!;
const isNone = (value: Json): boolean => value === '' || value === 'None';

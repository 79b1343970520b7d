import { LGraphEventMode, type LGraph, type LGraphNode } from '@comfyorg/litegraph';
import { asArray, isRecord } from '../../engine/workflow/records.ts';
import { allGraphs } from '../graph/load.ts';
import { Choice } from '../graph/widgets/choice.ts';
import { folderOfInput } from '../models/loaders.ts';
import { isModelFile } from '../models/model-file-name.ts';
import { textOf } from '../text.ts';

/** A model file that a workflow wants and the server does not have. */
export interface MissingModel {
  readonly name: string;
  /** The models folder it belongs into, where the file, the class or the input says so. */
  readonly directory: string | null;
  /** Where the author of the workflow says it comes from. */
  readonly url: string | null;
  readonly nodes: readonly LGraphNode[];
}

/** Names of the model files in a folder; null where the server has no such folder. */
export type ListModels = (directory: string) => Promise<readonly string[] | null>;

/**
 * What a workflow wants and does not find: models that the file lists (`models` of the file and of
 * nodes' properties), and values of combos of model files that the server does not offer. Nodes that do
 * not run want nothing. Links come from the lists, else from notes.
 */
export async function missingModels(
  graph: LGraph,
  file: Readonly<Record<string, unknown>>,
  list: ListModels,
): Promise<MissingModel[]> {
  const found = new Map<string, MissingModel>();
  const nodes = runningNodes(graph);
  const links = linksInNotes(graph);
  const add = (name: string, directory: string | null, url: string | null, node?: LGraphNode) => {
    const before = found.get(name);
    found.set(name, {
      name,
      directory: directory ?? before?.directory ?? null,
      url: before?.url ?? url ?? links.get(baseName(name)) ?? null,
      nodes: [...new Set([...(before?.nodes ?? []), ...(node ? [node] : [])])],
    });
  };
  for (const node of nodes) {
    for (const widget of node.widgets ?? []) {
      const value = textOf(widget.value);
      if (!(widget instanceof Choice) || !isModelFile(value)) continue;
      if (widget.unknown || widget.choices.length === 0) {
        add(value, folderOfInput(node.type, widget.name), null, node);
      }
    }
  }
  const declared = [
    ...asArray(file.models).map((model) => ({ model, node: undefined })),
    ...nodes.flatMap((node) =>
      asArray(node.properties.models)
        .filter((model) => isRecord(model) && wants(node, textOf(model.name)))
        .map((model) => ({ model, node })),
    ),
  ];
  for (const { model, node } of declared) {
    if (!isRecord(model) || typeof model.name !== 'string') continue;
    const directory = typeof model.directory === 'string' ? model.directory : null;
    const present = directory === null ? null : await list(directory);
    const isHere = present?.some((each) => baseName(each) === baseName(model.name as string));
    const known = [...found.keys()].find((name) => baseName(name) === model.name);
    const url = typeof model.url === 'string' && /^https?:/.test(model.url) ? model.url : null;
    if (isHere === false || known !== undefined) add(known ?? model.name, directory, url, node);
  }
  return [...found.values()];
}

/** Nodes of all levels that run: not those that are muted or bypassed, nor what is only inside such. */
function runningNodes(graph: LGraph): LGraphNode[] {
  const runs = ({ mode }: LGraphNode): boolean =>
    mode !== LGraphEventMode.NEVER && mode !== LGraphEventMode.BYPASS;
  const reached = new Set<string>();
  const queue: LGraphNode[] = [...graph.nodes];
  const result: LGraphNode[] = [];
  for (const node of queue) {
    if (!runs(node)) continue;
    result.push(node);
    const inner = graph.subgraphs.get(node.type);
    if (inner === undefined || reached.has(node.type)) continue;
    reached.add(node.type);
    queue.push(...inner.nodes);
  }
  return result;
}

/** Whether a node's values name the file: a list that a node was saved with may be out of date. */
const wants = (node: LGraphNode, name: string): boolean =>
  (node.widgets ?? []).length === 0 ||
  (node.widgets ?? []).some(({ value }) => baseName(textOf(value)) === name);

/** Links to model files in notes, by the name of the file. */
function linksInNotes(graph: LGraph): ReadonlyMap<string, string> {
  const links = new Map<string, string>();
  for (const node of allGraphs(graph).flatMap((each) => each.nodes)) {
    if (node.type !== 'Note' && node.type !== 'MarkdownNote') continue;
    const text = (node.widgets ?? []).map(({ value }) => textOf(value)).join('\n');
    for (const [url] of text.matchAll(/https?:\/\/[^\s)\]"'<>]+/g)) {
      const name = baseName(decoded(url.replace(/[?#].*$/, '')));
      if (isModelFile(name)) links.set(name, url);
    }
  }
  return links;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const baseName = (path: string): string =>
  path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);

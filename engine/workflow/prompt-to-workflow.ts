/**
 * An API prompt as an editor workflow with a simple layout: what the editor shows when a picture
 * holds nothing but its prompt. Columns follow the longest way from a source.
 */
import type { Json } from './lossless-json.ts';
import type { ApiNode, ApiPrompt, InputInfo, NodeInfo, ObjectInfo } from './types.ts';
import { defaultValue, hasControl, inputsInOrder, isWidget } from './widgets.ts';

/** A workflow of schema 0.4, as plain JSON. */
export interface UiWorkflow {
  readonly last_node_id: number;
  readonly last_link_id: number;
  readonly nodes: readonly UiNode[];
  readonly links: readonly (readonly [number, number, number, number, number, string])[];
  readonly groups: readonly never[];
  readonly config: Readonly<Record<string, never>>;
  readonly extra: Readonly<Record<string, never>>;
  readonly version: 0.4;
}

export interface UiNode {
  readonly id: number;
  readonly type: string;
  readonly title?: string;
  pos: [number, number];
  readonly size: [number, number];
  readonly flags: Readonly<Record<string, never>>;
  readonly order: number;
  readonly mode: 0;
  readonly inputs: readonly {
    readonly name: string;
    readonly type: string;
    link: number | null;
    readonly widget?: { readonly name: string };
  }[];
  readonly outputs: readonly {
    readonly name: string;
    readonly type: string;
    readonly links: number[];
  }[];
  readonly properties: Readonly<Record<string, string>>;
  readonly widgets_values: Json[] | Record<string, Json>;
}

const COLUMN = 380;
const GAP = 40;

/** Lays out a prompt. Ids that are no whole numbers (`12:5`) get new ones. */
export function promptToWorkflow(prompt: ApiPrompt, objectInfo: ObjectInfo): UiWorkflow {
  const ids = numberIds(Object.keys(prompt));
  const depths = columnDepths(prompt);
  const links: UiWorkflow['links'][number][] = [];
  const nodes = new Map<string, UiNode>();
  Object.entries(prompt).forEach(([id, node], order) => {
    nodes.set(id, makeNode(ids.get(id) as number, node, infoOf(objectInfo, node), prompt, order));
  });
  growOutputs(prompt, nodes);
  for (const [id, node] of Object.entries(prompt)) {
    const target = nodes.get(id) as UiNode;
    target.inputs.forEach((input, slot) => {
      const link = linkOf(node.inputs[input.name], prompt);
      const source = link && nodes.get(link[0]);
      const output = link && source?.outputs[link[1]];
      if (!link || !source || !output) return;
      input.link = links.push([links.length + 1, source.id, link[1], target.id, slot, output.type]);
      output.links.push(input.link);
    });
  }
  placeInColumns(nodes, depths);
  return {
    last_node_id: Math.max(0, ...ids.values()),
    last_link_id: links.length,
    nodes: [...nodes.values()],
    links,
    groups: [],
    config: {},
    extra: {},
    version: 0.4,
  };
}

function makeNode(
  id: number,
  node: ApiNode,
  info: NodeInfo | undefined,
  prompt: ApiPrompt,
  order: number,
): UiNode {
  const inputs: UiNode['inputs'][number][] = [];
  const values: Json[] = [];
  const known = info === undefined ? [] : inputsInOrder(info);
  for (const [name, spec] of known) {
    const given = node.inputs[name];
    const linked = linkOf(given, prompt) !== undefined;
    if (!isWidget(spec)) {
      inputs.push({ name, type: typeText(spec), link: null });
      continue;
    }
    if (linked) inputs.push({ name, type: typeText(spec), link: null, widget: { name } });
    values.push(linked || given === undefined ? defaultValue(spec) : unwrap(given));
    if (hasControl({ name, input: spec })) values.push('fixed');
  }
  for (const [name, given] of Object.entries(node.inputs)) {
    if (known.some(([key]) => key === name) || !linkOf(given, prompt)) continue;
    inputs.push({ name, type: '*', link: null });
  }
  const outputs = (info?.output ?? []).map((type, slot) => ({
    name: info?.output_name?.[slot] ?? (typeof type === 'string' ? type : 'COMBO'),
    type: typeof type === 'string' ? type : 'COMBO',
    links: [],
  }));
  const rows = Math.max(inputs.filter(({ widget }) => !widget).length, outputs.length);
  const texts = known.filter(([, spec]) => spec[1]?.multiline === true).length;
  return {
    id,
    type: node.class_type,
    ...(node._meta?.title !== undefined && { title: node._meta.title }),
    pos: [0, 0],
    size: [texts > 0 ? 340 : 300, 40 + 22 * rows + 26 * values.length + 90 * texts],
    flags: {},
    order,
    mode: 0,
    inputs,
    outputs,
    properties: { 'Node name for S&R': node.class_type },
    // A class nobody knows keeps its values by name.
    widgets_values: info === undefined ? plainValues(node, prompt) : values,
  };
}

function plainValues(node: ApiNode, prompt: ApiPrompt): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(node.inputs)
      .filter(([, value]) => linkOf(value, prompt) === undefined)
      .map(([name, value]) => [name, unwrap(value)]),
  );
}

/** Unknown classes get as many outputs as links need. */
function growOutputs(prompt: ApiPrompt, nodes: ReadonlyMap<string, UiNode>): void {
  for (const { inputs } of Object.values(prompt)) {
    for (const value of Object.values(inputs)) {
      const link = linkOf(value, prompt);
      const outputs = link && (nodes.get(link[0])?.outputs as UiNode['outputs'][number][]);
      if (!link || !outputs || link[1] > 1000) continue;
      while (outputs.length <= link[1]) {
        outputs.push({ name: `output ${outputs.length}`, type: '*', links: [] });
      }
    }
  }
}

/**
 * Longest way from a node without links: each node is placed when all that it takes from are (Kahn
 * 1962). What lies on
 * circles, or behind them, goes by those of its sources that could be placed.
 */
function columnDepths(prompt: ApiPrompt): Map<string, number> {
  const depths = new Map(Object.keys(prompt).map((id) => [id, 0]));
  const waitsFor = new Map<string, number>();
  const readers = new Map<string, string[]>();
  for (const [id, { inputs }] of Object.entries(prompt)) {
    const sources = Object.values(inputs).flatMap((value) => linkOf(value, prompt)?.[0] ?? []);
    waitsFor.set(id, sources.length);
    for (const source of sources) {
      const known = readers.get(source);
      if (known === undefined) readers.set(source, [id]);
      else known.push(id);
    }
  }
  const placed = [...waitsFor].filter(([, count]) => count === 0).map(([id]) => id);
  for (const id of placed) {
    for (const reader of readers.get(id) ?? []) {
      depths.set(reader, Math.max(depths.get(reader)!, depths.get(id)! + 1));
      const left = waitsFor.get(reader)! - 1;
      waitsFor.set(reader, left);
      if (left === 0) placed.push(reader);
    }
  }
  return depths;
}

function placeInColumns(
  nodes: ReadonlyMap<string, UiNode>,
  depths: ReadonlyMap<string, number>,
): void {
  const bottoms = new Map<number, number>();
  for (const [id, node] of nodes) {
    const depth = depths.get(id) ?? 0;
    const y = bottoms.get(depth) ?? GAP;
    node.pos = [GAP + depth * COLUMN, y];
    bottoms.set(depth, y + node.size[1] + GAP);
  }
}

function numberIds(keys: readonly string[]): Map<string, number> {
  const ids = new Map<string, number>();
  const taken = new Set<number>();
  let highest = 0;
  for (const key of keys) {
    // `01` and `1` are two ids but one number.
    if (!/^\d{1,9}$/.test(key) || taken.has(Number(key))) continue;
    ids.set(key, Number(key));
    taken.add(Number(key));
    highest = Math.max(highest, Number(key));
  }
  for (const key of keys) if (!ids.has(key)) ids.set(key, ++highest);
  return ids;
}

/** `[node id, slot]` to a node of the prompt. */
function linkOf(value: Json | undefined, prompt: ApiPrompt): [string, number] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [id, slot] = value;
  if (typeof id !== 'string' && typeof id !== 'number') return undefined;
  if (typeof slot !== 'number' || !Number.isInteger(slot) || slot < 0) return undefined;
  return Object.hasOwn(prompt, String(id)) ? [String(id), slot] : undefined;
}

/** Lists travel as `{ "__value__": [...] }`. */
function unwrap(value: Json): Json {
  return typeof value === 'object' && value !== null && '__value__' in value
    ? (value as { __value__: Json }).__value__
    : value;
}

const typeText = (spec: InputInfo): string => (typeof spec[0] === 'string' ? spec[0] : 'COMBO');

function infoOf(objectInfo: ObjectInfo, node: ApiNode): NodeInfo | undefined {
  return Object.hasOwn(objectInfo, node.class_type) ? objectInfo[node.class_type] : undefined;
}

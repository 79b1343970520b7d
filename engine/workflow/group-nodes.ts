/**
 * Legacy group nodes: one node that stands for several, defined in `extra.groupNodes`. They are
 * rewritten as subgraphs, so that everything after reading knows one kind of nesting only.
 */
import { readNode } from './read-graph.ts';
import { asArray, isRecord } from './records.ts';
import { SUBGRAPH_INPUT, SUBGRAPH_OUTPUT } from './types.ts';
import type {
  GraphLink,
  GraphNode,
  InputInfo,
  InputSlot,
  NodeInfo,
  ObjectInfo,
  Subgraph,
  Workflow,
} from './types.ts';
import { inputsInOrder, isWidget } from './widgets.ts';

/** The definition's name when a node type is a group (`workflow>Name`, older `workflow/Name`). */
export function groupName(type: string): string | undefined {
  return /^workflow[>/](.+)$/s.exec(type)?.[1];
}

interface GroupLink {
  readonly from: number;
  readonly fromSlot: number;
  readonly to: number;
  readonly toSlot: number;
  readonly type: string;
}

/**
 * The subgraph of a group definition; undefined when there is none. Inner ids are the positions in
 * the definition. Inputs and outputs are numbered as the editor numbers the group's slots: sockets
 * of the inner nodes that nothing inside feeds, outputs that nothing inside takes.
 */
export function groupSubgraph(
  workflow: Workflow,
  name: string,
  objectInfo: ObjectInfo,
): Subgraph | undefined {
  const definition = Object.hasOwn(workflow.groups, name) ? workflow.groups[name] : undefined;
  if (!isRecord(definition) || !Array.isArray(definition.nodes)) return undefined;
  const nodes = definition.nodes.map((node, index) =>
    readNode(isRecord(node) ? { ...node, id: index } : node),
  );
  const inner = readLinks(definition);
  const draft = new Draft(nodes);
  for (const link of inner) {
    const source = nodes[link.from];
    if (source !== undefined) draft.connect(String(link.from), link.fromSlot, link.to, link.toSlot);
  }
  const fed = (node: number, slot: number): boolean =>
    inner.some((link) => link.to === node && link.toSlot === slot);
  const hidden = (node: number, side: 'input' | 'output', key: string): boolean | undefined =>
    visibility(definition.config, node, side, key);

  const inputs: { name: string; type: string }[] = [];
  const later: (() => void)[] = [];
  const outputs: (GraphLink | undefined)[] = [];
  const widgets: { nodeId: string; name: string }[] = [];
  const converted: { nodeId: string; name: string }[] = [];
  const expose = (node: number, slot: number, { name, type }: InputSlot): void => {
    draft.connect(SUBGRAPH_INPUT, inputs.length, node, slot);
    inputs.push({ name, type });
  };

  nodes.forEach((node, index) => {
    if (node === undefined) return;
    const info = knownInfo(node, index, inner, nodes, objectInfo);
    if (info === undefined) return;
    const takesInside = inner.some((link) => link.from === index);
    if (node.type === 'Reroute' && takesInside && fed(index, 0)) return;
    for (const [input, spec] of inputsInOrder(info)) {
      if (!isWidget(spec)) continue;
      const slot = node.inputs.findIndex(({ widget }) => widget === input);
      if (slot < 0) widgets.push({ nodeId: node.id, name: input });
      else if (!fed(index, slot)) {
        converted.push({ nodeId: node.id, name: input });
        later.push(() => expose(index, slot, node.inputs[slot]));
      }
    }
    node.inputs.forEach((slot, i) => {
      if (slot.widget !== undefined || fed(index, i)) return;
      if (hidden(index, 'input', slot.name) !== false) expose(index, i, slot);
    });
    const external = externalOutputs(definition, index);
    (info.output ?? []).forEach((_, slot) => {
      const used = inner.some((link) => link.from === index && link.fromSlot === slot);
      const visible = hidden(index, 'output', String(slot)) ?? (!used || external.includes(slot));
      if (!visible) return;
      outputs.push({
        originId: String(index),
        originSlot: slot,
        targetId: SUBGRAPH_OUTPUT,
        targetSlot: outputs.length,
        type: node.outputs[slot]?.type ?? '*',
      });
    });
  });
  const sockets = inputs.length;
  for (const run of later) run();
  const lists = converted.length === 0 || storesEverySlot(nodes) ? storedLists(nodes) : undefined;
  const group = { sockets, lists, widgets: [...widgets, ...converted] };
  return { ...draft.graph(), name, inputs, outputs, group };
}

/** Since front end 1.16 every widget has a slot in the file; before, converted ones only. */
function storesEverySlot(nodes: readonly (GraphNode | undefined)[]): boolean {
  const count = (amount: (node: GraphNode) => number): number =>
    nodes.reduce((sum, node) => sum + (node === undefined ? 0 : amount(node)), 0);
  const slots = count(({ inputs }) => inputs.filter(({ widget }) => widget !== undefined).length);
  return slots > count(({ values }) => (Array.isArray(values) ? values.length : 0)) / 2;
}

function storedLists(
  nodes: readonly (GraphNode | undefined)[],
): { nodeId: string; length: number }[] {
  return nodes.flatMap((node) =>
    node !== undefined && Array.isArray(node.values)
      ? [{ nodeId: node.id, length: node.values.length }]
      : [],
  );
}

/** Nodes whose links are added one by one. */
class Draft {
  readonly #nodes: (GraphNode | undefined)[];
  readonly #links = new Map<string, GraphLink>();

  constructor(nodes: readonly (GraphNode | undefined)[]) {
    // Links of the place where the group was made mean nothing here.
    this.#nodes = nodes.map(
      (node) => node && { ...node, inputs: node.inputs.map(({ link: _, ...slot }) => slot) },
    );
  }

  connect(originId: string, originSlot: number, target: number, targetSlot: number): void {
    const node = this.#nodes[target];
    const slot = node?.inputs[targetSlot];
    if (node === undefined || slot === undefined) return;
    const id = String(this.#links.size + 1);
    this.#links.set(id, {
      originId,
      originSlot,
      targetId: node.id,
      targetSlot,
      type: slot.type,
    });
    const inputs = node.inputs.with(targetSlot, { ...slot, link: id });
    this.#nodes[target] = { ...node, inputs };
  }

  graph(): { nodes: Map<string, GraphNode>; links: Map<string, GraphLink> } {
    const nodes = new Map<string, GraphNode>();
    for (const node of this.#nodes) if (node !== undefined) nodes.set(node.id, node);
    return { nodes, links: this.#links };
  }
}

/** `[from, slot, to, slot, …, type]` by position; links from outside have no `from`. */
function readLinks(definition: Record<string, unknown>): GroupLink[] {
  return asArray(definition.links).flatMap((link) => {
    const [from, fromSlot, to, toSlot, , type] = asArray(link);
    if (typeof from !== 'number' || typeof to !== 'number') return [];
    return [
      {
        from,
        fromSlot: Number(fromSlot) || 0,
        to,
        toSlot: Number(toSlot) || 0,
        type: typeof type === 'string' ? type : '*',
      },
    ];
  });
}

/** Output slots of an inner node that were linked outside when the group was made. */
function externalOutputs(definition: Record<string, unknown>, index: number): number[] {
  return asArray(definition.external).flatMap((entry) => {
    const [node, slot] = asArray(entry);
    return node === index && typeof slot === 'number' ? [slot] : [];
  });
}

function visibility(
  config: unknown,
  node: number,
  side: 'input' | 'output',
  key: string,
): boolean | undefined {
  const entry = isRecord(config) ? config[String(node)] : undefined;
  const slots = isRecord(entry) ? entry[side] : undefined;
  const slot = isRecord(slots) ? slots[key] : undefined;
  return isRecord(slot) && typeof slot.visible === 'boolean' ? slot.visible : undefined;
}

/** What is known of an inner node's class; editor-only kinds get what their links say. */
function knownInfo(
  node: GraphNode,
  index: number,
  links: readonly GroupLink[],
  nodes: readonly (GraphNode | undefined)[],
  objectInfo: ObjectInfo,
): NodeInfo | undefined {
  if (Object.hasOwn(objectInfo, node.type)) return objectInfo[node.type];
  if (node.type === 'Reroute') return { output: ['*'] };
  if (node.type !== 'PrimitiveNode') return undefined;
  const link = links.find(({ from }) => from === index);
  if (link === undefined) return undefined;
  const target = nodes[link.to];
  const name = target?.inputs[link.toSlot]?.widget;
  const info = Object.hasOwn(objectInfo, target?.type ?? '')
    ? objectInfo[target?.type ?? '']
    : undefined;
  const spec =
    info && name ? (info.input?.required?.[name] ?? info.input?.optional?.[name]) : undefined;
  const input: InputInfo = [spec?.[0] ?? link.type, { control_after_generate: true }];
  return { input: { required: { value: input } }, output: [link.type] };
}

import type { LGraphNode } from '@comfyorg/litegraph';
import type { ISerialisedNode } from '@comfyorg/litegraph/dist/types/serialisation';
import { stringifyJson } from '../../engine/workflow/lossless-json.ts';
import { ownHeight } from './own-size.ts';

/** What stands for a node's stored form while a graph is read without its nodes. */
let standIn: ((node: LGraphNode) => ISerialisedNode) | null = null;

/** A node's stored form, or what stands for it now. Nodes whose text is kept call this to serialise. */
export const storedForm = (node: LGraphNode, asUsual: () => ISerialisedNode): ISerialisedNode =>
  standIn === null ? asUsual() : standIn(node);

/** Does something with every such node serialised as itself: they are found in what comes out. */
export function withNodesAsThemselves<T>(work: () => T): T {
  standIn = (node) => node;
  try {
    return work();
  } finally {
    standIn = null;
  }
}

const texts = new WeakMap<LGraphNode, { readonly mark: string; readonly text: string }>();

/** The stored form of a node as JSON, without its execution order; made anew when the node changed. */
export function nodeText(node: LGraphNode): string {
  const mark = markOf(node);
  const kept = texts.get(node);
  if (mark !== null && kept?.mark === mark) return kept.text;
  const text = textOfStored(node.serialize());
  if (mark !== null) texts.set(node, { mark, text });
  return text;
}

/** The text of a node that was serialised already. */
export function textOfStored(stored: object): string {
  const { order: _order, ...rest } = stored as ISerialisedNode;
  return stringifyJson(rest, { style: 'compact' });
}

/** What a node is stored from has changed in another way than by an edit. */
export const forgetText = (node: LGraphNode): void => void texts.delete(node);

/** A value that JSON can write. */
const plain = (value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);

/**
 * Everything that an edit may change of a node, in short: equal marks mean an equal stored form.
 * null where that cannot be told: the node has a say of its own in what is stored.
 */
function markOf(node: LGraphNode): string | null {
  if (node.onSerialize !== undefined) return null;
  const parts: unknown[] = [
    node.id,
    node.type,
    node.pos[0],
    node.pos[1],
    node.size[0],
    ownHeight(node),
    node.flags,
    node.mode,
    node.title,
    node.color,
    node.bgcolor,
    node.boxcolor,
    node.shape,
    node.showAdvanced,
    node.properties,
  ];
  for (const { name, label, type, link, shape, pos, widget } of node.inputs) {
    parts.push(name, label, type, link, shape, pos, widget?.name);
  }
  for (const { name, label, type, links, shape, slot_index } of node.outputs) {
    parts.push(name, label, type, links, shape, slot_index);
  }
  for (const { name, value, serialize } of node.widgets ?? []) {
    if (serialize !== false) parts.push(name, plain(value));
  }
  try {
    return JSON.stringify(parts);
  } catch {
    return null; // A long integer inside a value.
  }
}

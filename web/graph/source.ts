import type { LGraphNode } from '@comfyorg/litegraph';
import type { ISerialisedNode } from '@comfyorg/litegraph/dist/types/serialisation';
import { isRecord } from './input-spec.ts';
import { forgetText } from './node-texts.ts';
import { ownHeight } from './own-size.ts';

/**
 * What a node was loaded from, so that saving it again loses nothing: keys this editor does not
 * know, the shape of widgets_values, slot details. Nodes made here have no source.
 */
interface NodeSource {
  readonly data: Readonly<Record<string, unknown>>;
  /** Widget values right after loading; equal ones mean the stored values still hold. */
  readonly values: readonly unknown[];
}

const sources = new WeakMap<LGraphNode, NodeSource>();

/** Remembers a node's stored form; call after it was configured from it. */
export function rememberSource(node: LGraphNode, data: ISerialisedNode): void {
  forgetText(node);
  sources.set(node, {
    data: structuredClone(data) as unknown as Record<string, unknown>,
    values: widgetValues(node),
  });
}

/** Puts back what litegraph's serialised form of a node leaves out or changes in form only. */
export function restoreSource(node: LGraphNode, saved: ISerialisedNode): ISerialisedNode {
  saved.size = [saved.size[0], ownHeight(node)];
  const source = sources.get(node);
  if (source === undefined) return saved;
  const { data } = source;
  const result: Record<string, unknown> = { ...data, ...defined(saved) };
  delete result.id;
  result.id = saved.id;

  result.pos = sameFloats(saved.pos, data.pos) ? data.pos : saved.pos;
  result.size = sameFloats(saved.size, data.size) ? data.size : saved.size;
  for (const key of ['color', 'bgcolor', 'boxcolor', 'shape'] as const) {
    if (saved[key] === undefined) delete result[key];
  }
  // litegraph leaves a title out that equals the class's; a file that has it keeps it.
  if (saved.title === undefined && node.title !== data.title) delete result.title;
  result.inputs = restoreSlots(saved.inputs, data.inputs, { prune: true });
  result.outputs = restoreSlots(saved.outputs, data.outputs, { prune: false });
  if (result.inputs === undefined) delete result.inputs;
  if (result.outputs === undefined) delete result.outputs;

  const values = restoreValues(node, source);
  if (values === undefined) delete result.widgets_values;
  else result.widgets_values = values;
  return result as unknown as ISerialisedNode;
}

function restoreSlots(saved: unknown, stored: unknown, { prune }: { prune: boolean }): unknown {
  if (!Array.isArray(saved)) return stored;
  const old: unknown[] = Array.isArray(stored) ? stored : [];
  const slots = saved.map((slot: unknown, i) => {
    if (!isRecord(slot)) return slot;
    const before = [old[i], ...old].find((o) => isRecord(o) && o.name === slot.name);
    if (!isRecord(before)) return defined(slot);
    // Only the links and a new label follow the graph; all else keeps its stored form.
    const merged: Record<string, unknown> = { ...before };
    if ('link' in slot && ('link' in before || slot.link !== null)) merged.link = slot.link;
    if ('links' in slot && !sameLinks(before.links, slot.links)) merged.links = slot.links;
    if (slot.label !== undefined) merged.label = slot.label;
    else delete merged.label;
    return merged;
  });
  // Sockets that the file did not list are this editor's; unconnected they stay out.
  for (let i = slots.length - 1; prune && i >= old.length; i--) {
    const slot: unknown = slots[i];
    if (!isRecord(slot)) continue;
    if ((slot.link !== null && slot.link !== undefined) || slot.label !== undefined) break;
    slots.splice(i, 1);
  }
  return slots.length === 0 && stored === undefined ? undefined : slots;
}

function restoreValues(node: LGraphNode, source: NodeSource): unknown {
  const stored = source.data.widgets_values;
  const now = widgetValues(node);
  const changed = now.map((value, i) => !sameValue(value, source.values[i]));
  if (!changed.includes(true) && now.length === source.values.length) return stored;
  if (isRecord(stored)) {
    const byName = { ...stored };
    savedWidgets(node).forEach((w, i) => {
      if (changed[i]) byName[w.name] = now[i];
    });
    return byName;
  }
  // Values beyond our own widgets (upload buttons, packs' extras) stay at the end.
  return [...now, ...(Array.isArray(stored) ? (stored as unknown[]).slice(now.length) : [])];
}

/** `links: null`, `links: []` and no links at all say the same. */
const sameLinks = (a: unknown, b: unknown): boolean =>
  JSON.stringify(Array.isArray(a) ? a : []) === JSON.stringify(Array.isArray(b) ? b : []);

const savedWidgets = (node: LGraphNode) =>
  (node.widgets ?? []).filter((w) => w.serialize !== false);

const widgetValues = (node: LGraphNode): unknown[] => savedWidgets(node).map((w) => w.value);

const sameValue = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) ||
  (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b));

/** Whether positions agree up to the 32-bit floats litegraph keeps them in. */
function sameFloats(saved: ArrayLike<number>, stored: unknown): boolean {
  const pair = stored as Record<number, unknown> | undefined | null;
  return (
    typeof pair === 'object' &&
    pair !== null &&
    [0, 1].every((i) => typeof pair[i] === 'number' && Math.fround(pair[i]) === saved[i])
  );
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}

/** Takes the node's present widget values as the loaded ones (widgets made after loading). */
export function settleValues(node: LGraphNode): void {
  const source = sources.get(node);
  if (source === undefined) return;
  forgetText(node);
  sources.set(node, { ...source, values: widgetValues(node) });
}

/** The widget values a node was loaded with, if it was loaded. */
export function storedValues(node: LGraphNode): unknown {
  return sources.get(node)?.data.widgets_values;
}

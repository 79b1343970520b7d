import { LiteGraph, type INodeInputSlot, type LGraphNode } from '@comfyorg/litegraph';
import { asArray, isRecord } from '../../engine/workflow/records.ts';
import type { NodeInfo } from '../api/types.ts';
import { inputSpecs, slotType, type InputSpec } from './input-spec.ts';

/** The type of inputs that grow: there is always one more socket than links. */
export const autogrow = 'COMFY_AUTOGROW_V3';

/** ComfyUI's own limit. */
const mostNames = 100;

interface Group {
  readonly name: string;
  /** What its sockets are called, as many as there may be. */
  readonly names: readonly string[];
  /** How many the node cannot do without. */
  readonly least: number;
  readonly type: string;
}

const groups = new WeakMap<LGraphNode, Group[]>();
/** Nodes that are being loaded: their sockets are those of the file. */
const loading = new WeakSet<LGraphNode>();

/** Adds the first sockets of an input that grows. */
export function addGrowing(node: LGraphNode, { name, options }: InputSpec): void {
  const template = isRecord(options.template) ? options.template : {};
  const input = isRecord(template.input) ? template.input : {};
  const spec = inputSpecs({ input } as unknown as NodeInfo).at(0);
  if (spec === undefined) return;
  const prefix = typeof template.prefix === 'string' ? template.prefix : spec.name;
  const most = Math.min(mostNames, Number(template.max ?? mostNames));
  const named = asArray(template.names).filter((each) => typeof each === 'string');
  const group: Group = {
    name,
    names: named.length > 0 ? named : Array.from({ length: most }, (_, i) => `${prefix}${i}`),
    least: Number(template.min ?? 1),
    type: slotType(spec),
  };
  const known = groups.get(node);
  groups.set(node, [...(known ?? []), group]);
  if (known === undefined) growWithLinks(node);
  grow(node, group);
}

/** Loads a node's stored form: no socket comes or goes meanwhile. */
export function withoutGrowing(node: LGraphNode, load: () => void): void {
  loading.add(node);
  try {
    load();
  } finally {
    loading.delete(node);
  }
}

function growWithLinks(node: LGraphNode): void {
  const before = node.onConnectionsChange?.bind(node);
  node.onConnectionsChange = (side, index, isConnected, link, slot) => {
    before?.(side, index, isConnected, link, slot);
    const group = groups.get(node)?.find((each) => slot.name.startsWith(`${each.name}.`));
    if (side !== LiteGraph.INPUT || group === undefined || loading.has(node)) return;
    // A link that is swapped for another one is taken away and made in one go.
    if (isConnected) grow(node, group);
    else queueMicrotask(() => grow(node, group));
  };
}

/** Brings the sockets of a group to one more than are in use. */
function grow(node: LGraphNode, group: Group): void {
  const { inputs } = node;
  const ordinalOf = ({ name }: INodeInputSlot): number =>
    name.startsWith(`${group.name}.`) ? group.names.indexOf(name.slice(group.name.length + 1)) : -1;
  const used = Math.max(-1, ...inputs.filter(({ link }) => link !== null).map(ordinalOf));
  const wanted = Math.min(group.names.length, Math.max(group.least, used + 1) + 1);
  for (let i = inputs.length - 1; i >= 0; i--) {
    if (inputs[i].link === null && ordinalOf(inputs[i]) >= wanted) node.removeInput(i);
  }
  for (const [ordinal, base] of group.names.slice(0, wanted).entries()) {
    if (inputs.some((slot) => ordinalOf(slot) === ordinal)) continue;
    const slot = node.addInput(`${group.name}.${base}`, group.type);
    slot.localized_name = base;
    const last = inputs.findLastIndex((each) => each !== slot && ordinalOf(each) >= 0);
    if (last >= 0) inputs.splice(last + 1, 0, ...inputs.splice(inputs.indexOf(slot)));
  }
  inputs.forEach(({ link }, i) => {
    const held = link === null ? undefined : node.graph?.getLink(link);
    if (held) held.target_slot = i;
  });
  const [width, height] = node.computeSize();
  node.setSize([Math.max(node.size[0], width), Math.max(node.size[1], height)]);
  node.setDirtyCanvas(true, true);
}

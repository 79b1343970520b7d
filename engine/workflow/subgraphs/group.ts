/** What the editor needs of legacy group nodes: the fields one shows, and the subgraph that it becomes. */
import { groupName, groupSubgraph } from '../group-nodes.ts';
import { readWorkflow } from '../read-graph.ts';
import { asArray, isRecord } from '../records.ts';
import type { GraphLink, InputInfo, ObjectInfo, Subgraph } from '../types.ts';
import { hasControl, inputsInOrder, isWidget } from '../widgets.ts';
import { blankDefinition } from './blank.ts';
import { definitionsOf, holderOf, withDefinitions, withLevel, withProxies } from './definitions.ts';
import {
  boundsOf,
  inputsOf,
  outputsOf,
  readLevel,
  writeLevel,
  type Id,
  type Loose,
  type StoredNode,
} from './level.ts';
import { withValuesInside } from './values-inside.ts';

/** One field of a group node, in the order of its stored values. */
export interface GroupField {
  /** The inner node, by its place in the definition. */
  readonly node: number;
  /** Name of the inner widget, and what the group calls it. */
  readonly name: string;
  readonly label: string;
  readonly hidden: boolean;
  readonly input: InputInfo;
  /** Whether a value of `control_after_generate` follows. */
  readonly controlled: boolean;
}

/** The fields of a group node; null when the file does not define the group, or not in a known way. */
export function groupFields(
  workflow: Loose,
  node: StoredNode,
  objectInfo: ObjectInfo,
): readonly GroupField[] | null {
  const found = groupOf(workflow, node, objectInfo);
  const group = found?.subgraph.group;
  if (found === undefined || group === undefined) return null;
  const { definition, subgraph } = found;
  const { lists, widgets } = group;
  const count = Array.isArray(node.widgets_values) ? node.widgets_values.length : 0;
  const total = lists?.reduce((sum, { length }) => sum + length, 0);
  const wanted =
    lists !== undefined && total === count
      ? lists.flatMap(({ nodeId, length }) =>
          // The class may have got more widgets since.
          fitting(widgetsOf(subgraph, nodeId, objectInfo), length).map((name) => ({
            nodeId,
            name,
          })),
        )
      : widgets;
  const fields = wanted.flatMap(({ nodeId, name }): GroupField[] => {
    const input = widgetsOf(subgraph, nodeId, objectInfo).find(([each]) => each === name)?.[1];
    if (input === undefined) return [];
    const config = configOf(definition, nodeId, name);
    return [
      {
        node: Number(nodeId),
        name,
        label: typeof config.name === 'string' ? config.name : name,
        hidden: config.visible === false,
        input,
        controlled: hasControl({ name, input }),
      },
    ];
  });
  const slots = fields.reduce((sum, { controlled }) => sum + (controlled ? 2 : 1), 0);
  return fields.length === wanted.length && slots === count ? fields : null;
}

/** The first widgets whose values fill this many places. */
function fitting(widgets: readonly [string, InputInfo][], places: number): string[] {
  let at = 0;
  return widgets.flatMap(([name, input]) => {
    if (at >= places) return [];
    at += hasControl({ name, input }) ? 2 : 1;
    return [name];
  });
}

interface GroupParts {
  readonly within: string | null;
  readonly instance: Id;
  readonly objectInfo: ObjectInfo;
  /** Id (a UUID) of the new definition, and a maker of ids for its sockets. */
  readonly id: string;
  readonly uuid: () => string;
}

/**
 * Makes a group node a subgraph, with a definition of its own that holds its values. Its inner nodes
 * are numbered from 1. Throws a TypeError when the node is no group that the file defines.
 */
export function groupToSubgraph(
  workflow: Loose,
  { within, instance, objectInfo, id, uuid }: GroupParts,
): Loose {
  const level = readLevel(holderOf(workflow, within));
  const node = level.nodes.find((each) => String(each.id) === String(instance));
  const found = node && groupOf(workflow, node, objectInfo);
  if (node === undefined || found === undefined) {
    throw new TypeError(`node ${instance} is no group node that this workflow defines`);
  }
  const { definition, subgraph } = found;
  const stored = asArray(definition.nodes).flatMap((each, i) =>
    isRecord(each) && subgraph.nodes.has(String(i))
      ? [{ ...each, id: i, type: String(each.type) }]
      : [],
  );
  const valued = withValuesInside(workflow, within, node, stored, objectInfo);
  const nodes = valued.map((each) => ({ ...each, id: Number(each.id) + 1 }));
  const names = unique(subgraph.inputs.map(({ name }) => name));
  const blank = blankDefinition({
    id,
    name: groupName(node.type) ?? '',
    bounds: boundsOf(nodes),
    inputs: subgraph.inputs.map(({ type }, i) => ({ name: names[i], type })),
    outputs: outputSockets(subgraph),
    uuid,
  });
  const links = linksOf(subgraph);
  const body = writeLevel(blank, { nodes, links, reroutes: [], groups: [] });
  const sockets = inputsOf(node).filter(({ widget }) => widget === undefined);
  const inputs = subgraph.inputs.map(({ name, type }, i) => {
    const before =
      i < (subgraph.group?.sockets ?? 0)
        ? sockets[i]
        : inputsOf(node).find((slot) => slot.name === name);
    return { name: names[i], type, link: before?.link ?? null };
  });
  const outputs = subgraph.outputs.map((_, i) => ({
    ...(outputsOf(node)[i] ?? { type: '*' }),
    name: slotName(outputsOf(node)[i], i),
  }));
  const fields = groupFields(workflow, node, objectInfo) ?? [];
  const made = withProxies(
    {
      ...node,
      type: id,
      inputs,
      outputs,
      widgets_values: [],
      title: node.title ?? groupName(node.type),
    },
    fields.filter(({ hidden }) => !hidden).map((field) => [String(field.node + 1), field.name]),
  );
  const nodesAfter = level.nodes.map((each) => (each === node ? made : each));
  // Sockets have new places: they say which links they have.
  const after = readLevel({ ...holderOf(workflow, within), nodes: nodesAfter });
  const result = withLevel(workflow, within, after);
  return withDefinitions(result, [...definitionsOf(result), body]);
}

/** The stored definition of a group node, and the subgraph it is read as. */
function groupOf(
  workflow: Loose,
  node: StoredNode,
  objectInfo: ObjectInfo,
): { definition: Loose; subgraph: Subgraph } | undefined {
  const read = readWorkflow(workflow);
  const name = groupName(node.type);
  if (name === undefined) return undefined;
  const subgraph = groupSubgraph(read, name, objectInfo);
  const definition = Object.hasOwn(read.groups, name) ? read.groups[name] : undefined;
  return subgraph !== undefined && isRecord(definition) ? { definition, subgraph } : undefined;
}

function widgetsOf(
  subgraph: Subgraph,
  nodeId: string,
  objectInfo: ObjectInfo,
): [string, InputInfo][] {
  const type = subgraph.nodes.get(nodeId)?.type ?? '';
  if (!Object.hasOwn(objectInfo, type)) return [];
  return inputsInOrder(objectInfo[type]).filter(([, input]) => isWidget(input));
}

function configOf(definition: Loose, nodeId: string, name: string): Loose {
  const node = isRecord(definition.config) ? definition.config[nodeId] : undefined;
  const input = isRecord(node) && isRecord(node.input) ? node.input[name] : undefined;
  return isRecord(input) ? input : {};
}

const slotName = (slot: Loose | undefined, i: number): string =>
  typeof slot?.name === 'string' ? slot.name : String(i);

function unique(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let n = 1; taken.has(own); n++) own = `${name}_${n}`;
    taken.add(own);
    return own;
  });
}

/** All links of a group's body, those of its ends included; inner nodes are numbered from 1. */
function linksOf(subgraph: Subgraph) {
  const end = (id: string, slot: number) => ({
    id: Number(id) < 0 ? Number(id) : Number(id) + 1,
    slot,
  });
  const all: GraphLink[] = [
    ...subgraph.links.values(),
    ...subgraph.outputs.filter((link) => link !== undefined),
  ];
  return all.map((link, i) => {
    const origin = end(link.originId, link.originSlot);
    const target = end(link.targetId, link.targetSlot);
    return {
      id: i + 1,
      origin_id: origin.id,
      origin_slot: origin.slot,
      target_id: target.id,
      target_slot: target.slot,
      type: link.type,
    };
  });
}

/** What a group gives out, under the names that its inner nodes use. */
const outputSockets = ({ nodes, outputs }: Subgraph) =>
  outputs.map((link, i) => ({
    name: String(nodes.get(link?.originId ?? '')?.outputs[link?.originSlot ?? 0]?.name ?? i),
    type: link?.type ?? '*',
  }));

/** Where in a workflow's file the value of an input stands. */
import type { Json } from '../lossless-json.ts';
import { asArray, isRecord } from '../records.ts';
import { groupName, groupSubgraph } from '../group-nodes.ts';
import { groupPlaces, listedWidgets, OWN_INPUT } from '../scope.ts';
import {
  type GraphNode,
  type ObjectInfo,
  SUBGRAPH_INPUT,
  type Subgraph,
  type Workflow,
} from '../types.ts';
import { widgetValues, withWidgetValue } from '../widgets.ts';
import { primitivesBehind } from './shared-values.ts';

type Members = { [key: string]: Json };

/**
 * Writes the value of `key` (`<node>.<input>`, with the way through subgraphs before it) into the
 * file; `graph` is the same file as it is read. False where the file has no place that only this
 * input reads.
 */
export function writeValue(
  file: Members,
  graph: Workflow,
  key: string,
  value: Json,
  objectInfo: ObjectInfo,
): boolean {
  const { path, input } = splitKey(graph, key);
  if (path.length === 1) {
    const primitive = primitivesBehind(graph).get(key);
    if (primitive !== undefined) return writeAt(nodeIn(file, primitive.id), 0, value);
    return writeWidget(nodeIn(file, path[0]), graph.nodes.get(path[0]), input, value, objectInfo);
  }
  if (path.length > 2) return false;
  const [outer, inner] = path;
  const instance = graph.nodes.get(outer);
  if (instance === undefined) return false;
  const subgraph = graph.subgraphs.get(instance.type);
  if (subgraph === undefined) {
    return writeInGroup(nodeIn(file, outer), graph, instance, [inner, input], value, objectInfo);
  }
  return (
    writePromoted(nodeIn(file, outer), instance, subgraph, [inner, input], value) ??
    (isOnlyInstance(graph, instance) &&
      writeWidget(
        nodeIn(definitionIn(file, instance.type), inner),
        subgraph.nodes.get(inner),
        input,
        value,
        objectInfo,
      ))
  );
}

/** The way to the node, and its input; ids may hold dots as inputs do. */
function splitKey({ nodes }: Workflow, key: string): { path: readonly string[]; input: string } {
  let dot = key.indexOf('.');
  for (let at = dot; at >= 0; at = key.indexOf('.', at + 1)) {
    if (nodes.has(key.slice(0, at))) dot = at;
  }
  return { path: key.slice(0, dot).split(':'), input: key.slice(dot + 1) };
}

/** Into the instance, where it has the widget; undefined where it does not. */
function writePromoted(
  stored: Members | undefined,
  instance: GraphNode,
  subgraph: Subgraph,
  [inner, input]: readonly [node: string, input: string],
  value: Json,
): boolean | undefined {
  const slot = subgraph.nodes.get(inner)?.inputs.find(({ name }) => name === input);
  const link = slot?.link === undefined ? undefined : subgraph.links.get(slot.link);
  const own =
    link?.originId === SUBGRAPH_INPUT ? subgraph.inputs[link.originSlot]?.name : undefined;
  const count = Array.isArray(instance.values) ? instance.values.length : 0;
  const at = listedWidgets(instance, subgraph, count).findIndex(
    ([id, name]) => (id === OWN_INPUT && name === own) || (id === inner && name === input),
  );
  if (at >= 0) return writeAt(stored, at, value);
  return own === undefined ? undefined : false;
}

/** Into the values of a group node, which has those of its inner nodes. */
function writeInGroup(
  stored: Members | undefined,
  graph: Workflow,
  instance: GraphNode,
  [inner, input]: readonly [node: string, input: string],
  value: Json,
  objectInfo: ObjectInfo,
): boolean {
  const name = Object.hasOwn(objectInfo, instance.type) ? undefined : groupName(instance.type);
  const group = name === undefined ? undefined : groupSubgraph(graph, name, objectInfo);
  const node = group?.nodes.get(inner);
  if (group === undefined || node === undefined || !Array.isArray(instance.values)) return false;
  const values = instance.values as readonly Json[];
  const { lists, widgets } = groupPlaces(group, values.length, objectInfo);
  const list = lists.find(({ nodeId }) => nodeId === inner);
  if (list === undefined) {
    const at = widgets.find(({ nodeId, name: widget }) => nodeId === inner && widget === input)?.at;
    return at !== undefined && writeAt(stored, at, value);
  }
  if (!Object.hasOwn(objectInfo, node.type)) return false;
  const own = values.slice(list.at, list.at + list.length);
  const place = widgetValues(objectInfo[node.type], own).places.get(input);
  return typeof place === 'number' && writeAt(stored, list.at + place, value);
}

function writeWidget(
  stored: Members | undefined,
  node: GraphNode | undefined,
  input: string,
  value: Json,
  objectInfo: ObjectInfo,
): boolean {
  if (node === undefined || !Object.hasOwn(objectInfo, node.type)) return false;
  // A slot that is linked takes its value from elsewhere.
  if (node.inputs.some(({ name, link }) => name === input && link !== undefined)) return false;
  const info = objectInfo[node.type];
  const place = widgetValues(info, node.values).places.get(input);
  if (place === undefined || stored === undefined) return false;
  if (writeAt(stored, place, value)) return true;
  // The list is that of an older class, which ended before this widget.
  const list = asArray(stored.widgets_values) as readonly Json[];
  stored.widgets_values = [...(withWidgetValue(info, list, input, value) as readonly Json[])];
  return stored.widgets_values[place as number] === value;
}

function writeAt(stored: Members | undefined, place: number | string, value: Json): boolean {
  const values = stored?.widgets_values;
  if (typeof place === 'number' && Array.isArray(values) && place < values.length) {
    values[place] = value;
    return true;
  }
  if (typeof place === 'string' && isRecord(values)) {
    values[place] = value;
    return true;
  }
  return false;
}

const nodeIn = (graph: Members | undefined, id: string): Members | undefined =>
  asArray(graph?.nodes).find((node): node is Members => isRecord(node) && String(node.id) === id);

function definitionIn(file: Members, id: string): Members | undefined {
  const { definitions } = file;
  const list = isRecord(definitions) ? asArray(definitions.subgraphs) : [];
  return list.find((item): item is Members => isRecord(item) && item.id === id);
}

function isOnlyInstance(graph: Workflow, instance: GraphNode): boolean {
  const levels = [graph, ...graph.subgraphs.values()];
  const all = levels.flatMap(({ nodes }) => [...nodes.values()]);
  return all.filter(({ type }) => type === instance.type).length === 1;
}

/** Where in a workflow's file the value of an input stands. */
import type { Json } from '../lossless-json.ts';
import { asArray, isRecord } from '../records.ts';
import { listedWidgets, OWN_INPUT } from '../scope.ts';
import {
  type GraphNode,
  type ObjectInfo,
  SUBGRAPH_INPUT,
  type Subgraph,
  type Workflow,
} from '../types.ts';
import { widgetValues } from '../widgets.ts';
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
  const dot = key.indexOf('.');
  const path = key.slice(0, dot).split(':');
  const input = key.slice(dot + 1);
  if (path.length === 1) {
    const primitive = primitivesBehind(graph).get(key);
    if (primitive !== undefined) return writeAt(nodeIn(file, primitive.id), 0, value);
    return writeWidget(nodeIn(file, path[0]), graph.nodes.get(path[0]), input, value, objectInfo);
  }
  if (path.length > 2) return false;
  const [outer, inner] = path;
  const instance = graph.nodes.get(outer);
  const subgraph = instance && graph.subgraphs.get(instance.type);
  if (instance === undefined || subgraph === undefined) return false;
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
  const place = widgetValues(objectInfo[node.type], node.values).places.get(input);
  return place !== undefined && writeAt(stored, place, value);
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

/** What an instance of a subgraph, or a group node, holds for the nodes inside it. */
import type { Json } from '../lossless-json.ts';
import { readNode, readWorkflow } from '../read-graph.ts';
import { createScopes, widgetInputs } from '../scope.ts';
import type { ObjectInfo, Subgraph } from '../types.ts';
import { withWidgetValue } from '../widgets.ts';
import { INPUT_NODE, type StoredNode, type Loose } from './level.ts';

/** Inner nodes with the values that the instance holds for them. */
export function withValuesInside(
  workflow: Loose,
  within: string | null,
  instance: StoredNode,
  nodes: readonly StoredNode[],
  objectInfo: ObjectInfo,
): StoredNode[] {
  const read = readWorkflow(workflow);
  const scopes = createScopes(read, objectInfo);
  const graph = within === null ? read : read.subgraphs.get(within);
  const at = graph?.nodes.get(String(instance.id)) ?? readNode(instance);
  const { subgraphs } = read;
  const subgraph = at && scopes.subgraphOf(at);
  if (at === undefined || subgraph === undefined) return [...nodes];
  const scope = scopes.enter(scopes.root, at, subgraph);
  return nodes.map((node) => {
    const values = new Map<string, Json>(scope.innerValues.get(String(node.id)));
    const list = scope.innerLists.get(String(node.id));
    const links = subgraph.nodes.get(String(node.id))?.inputs ?? [];
    for (const { link, widget } of links) {
      const found = link === undefined ? undefined : subgraph.links.get(link);
      if (widget === undefined || found?.originId !== String(INPUT_NODE)) continue;
      const value = scope.inputValues.get(subgraph.inputs[found.originSlot]?.name ?? '');
      if (value !== undefined) values.set(widget, value);
    }
    return withValues(list === undefined ? node : { ...node, widgets_values: list }, values);
  });

  function withValues(node: StoredNode, values: ReadonlyMap<string, Json>): StoredNode {
    if (values.size === 0) return node;
    const info = Object.hasOwn(objectInfo, node.type) ? objectInfo[node.type] : undefined;
    let stored = readNode(node)?.values;
    for (const [name, value] of values) {
      if (info !== undefined) stored = withWidgetValue(info, stored, name, value);
      else if (!Array.isArray(stored)) stored = { ...stored, [name]: value };
      else if (subgraphs.has(node.type)) stored = withInputValue(node, stored, name, value);
      else if (node.type === 'PrimitiveNode') stored = [value, ...(stored as Json[]).slice(1)];
    }
    return { ...node, widgets_values: stored };
  }

  /** The list of an inner instance, which has a value for each of its inputs that is a widget inside. */
  function withInputValue(
    node: StoredNode,
    stored: readonly Json[],
    name: string,
    value: Json,
  ): readonly Json[] {
    const place = widgetInputs(subgraphs.get(node.type) as Subgraph).indexOf(name);
    return place >= 0 && place < stored.length ? stored.with(place, value) : stored;
  }
}

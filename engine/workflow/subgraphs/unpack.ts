/** An instance of a subgraph becomes the nodes it stands for. */
import type { Json } from '../lossless-json.ts';
import { readNode, readWorkflow } from '../read-graph.ts';
import { asArray } from '../records.ts';
import { createScopes, widgetInputs } from '../scope.ts';
import { MODE_BYPASSED, MODE_MUTED, type ObjectInfo, type Subgraph } from '../types.ts';
import { withWidgetValue } from '../widgets.ts';
import {
  definitionsOf,
  holderOf,
  proxiesOf,
  withInstances,
  withLevel,
  withoutUnused,
  withProxies,
} from './definitions.ts';
import {
  boundsOf,
  freeIds,
  INPUT_NODE,
  inputsOf,
  OUTPUT_NODE,
  pairOf,
  readLevel,
  TITLE,
  type Id,
  type Level,
  type Loose,
  type StoredLink,
  type StoredNode,
} from './level.ts';

export interface UnpackParts {
  /** The definition that the instance is in; null: the workflow itself. */
  readonly within: string | null;
  readonly instance: Id;
  readonly objectInfo: ObjectInfo;
}

/**
 * Puts the nodes of a subgraph in the place of one of its instances, with the values that the
 * instance has for them. The answer is a new workflow and the new id of each inner node. A
 * definition that no instance is left of goes away. Throws a TypeError when there is no such instance.
 */
export function unpackSubgraph(
  workflow: Loose,
  { within, instance, objectInfo }: UnpackParts,
): { workflow: Loose; ids: ReadonlyMap<string, Id> } {
  const holder = holderOf(workflow, within);
  const outer = readLevel(holder);
  const node = outer.nodes.find(({ id }) => String(id) === String(instance));
  const definition = definitionsOf(workflow).find(({ id }) => id === node?.type);
  if (node === undefined || definition === undefined) {
    throw new TypeError(`node ${instance} is no subgraph of this workflow`);
  }
  const inner = readLevel(definition);
  const free = freeIds(holder, outer);
  const taken = new Set(outer.nodes.filter((each) => each !== node).map(({ id }) => String(id)));
  const ids = new Map<string, Id>(
    inner.nodes.map(({ id }) => [String(id), taken.has(String(id)) ? free.node() : id]),
  );
  const shift = shiftOf(node, inner);
  const valued = withInstanceValues(workflow, within, node, inner.nodes, objectInfo);
  const moved = valued.map((each) => ({
    ...each,
    id: ids.get(String(each.id)) ?? each.id,
    pos: shifted(each.pos, shift),
    mode: node.mode === MODE_MUTED || node.mode === MODE_BYPASSED ? node.mode : each.mode,
  }));
  const reroutes = new Map(inner.reroutes.map(({ id }) => [id, free.reroute()]));
  const level: Level = {
    nodes: [...outer.nodes.filter((each) => each !== node), ...moved],
    links: joinedLinks(
      outer,
      inner,
      inputPlaces(node, definition),
      node.id,
      ids,
      reroutes,
      free.link,
    ),
    reroutes: [
      ...outer.reroutes,
      ...inner.reroutes.map((each) => ({
        ...each,
        id: reroutes.get(each.id),
        parentId: reroutes.get(each.parentId),
        pos: shifted(each.pos, shift),
      })),
    ],
    groups: [...outer.groups, ...inner.groups.map((each) => shiftedGroup(each, shift))],
  };
  let result = withLevel(workflow, within, level);
  if (within !== null) result = withProxiesMoved(result, within, node, inner, ids);
  return { workflow: withoutUnused(result, node.type), ids };
}

/** All links afterwards: those around, those inside, and for each pair that met at the border one. */
function joinedLinks(
  outer: Level,
  inner: Level,
  placeOf: (slot: number) => number | undefined,
  instance: Id,
  ids: ReadonlyMap<string, Id>,
  reroutes: ReadonlyMap<unknown, number>,
  newLink: () => number,
): StoredLink[] {
  const kept = outer.links.filter((l) => l.origin_id !== instance && l.target_id !== instance);
  const into = new Map(
    outer.links.filter((l) => l.target_id === instance).map((l) => [l.target_slot, l]),
  );
  const outOf = outer.links.filter((l) => l.origin_id === instance);
  const renamed = (id: Id): Id => ids.get(String(id)) ?? id;
  const result = [...kept];
  for (const link of inner.links) {
    const { parentId, ...plain } = link;
    const own = reroutes.get(parentId);
    const way = own === undefined ? {} : { parentId: own };
    const outside =
      link.origin_id === INPUT_NODE ? into.get(placeOf(link.origin_slot) ?? -1) : undefined;
    if (link.origin_id === INPUT_NODE && outside === undefined) continue;
    const origin =
      outside === undefined
        ? { origin_id: renamed(link.origin_id), origin_slot: link.origin_slot }
        : { origin_id: outside.origin_id, origin_slot: outside.origin_slot };
    if (link.target_id !== OUTPUT_NODE) {
      const through = outside?.parentId === undefined ? way : { parentId: outside.parentId };
      const target_id = renamed(link.target_id);
      result.push({ ...plain, ...origin, target_id, ...through, id: newLink() });
      continue;
    }
    for (const after of outOf.filter((l) => l.origin_slot === link.target_slot)) {
      result.push({ ...after, ...origin });
    }
  }
  return result;
}

/** Which socket of an instance stands for an input of its definition: files leave some out, so names decide. */
function inputPlaces(node: StoredNode, definition: Loose): (slot: number) => number | undefined {
  const places = new Map(inputsOf(node).map(({ name }, i) => [name, i]));
  const declared = inputsOf(definition);
  return (slot) => places.get(declared[slot]?.name);
}

/** How far the inside moves, so that its upper edge and its middle come where the instance's are. */
function shiftOf(node: StoredNode, inner: Level): [number, number] {
  const [left, top, width] = boundsOf(inner.nodes);
  const [x, y] = pairOf(node.pos, [0, 0]);
  const [w] = pairOf(node.size, [225, 100]);
  return [Math.round(x + w / 2 - left - width / 2), Math.round(y - TITLE - top)];
}

function shifted(pos: unknown, [dx, dy]: readonly [number, number]): [number, number] {
  const [x, y] = pairOf(pos, [0, 0]);
  return [x + dx, y + dy];
}

function shiftedGroup(group: Loose, [dx, dy]: readonly [number, number]): Loose {
  const { id: _own, ...rest } = group;
  const [x, y, ...size] = asArray(group.bounding) as number[];
  return { ...rest, bounding: [x + dx, y + dy, ...size] };
}

/** Inner nodes with the values that the instance holds for them. */
function withInstanceValues(
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
  const subgraph = subgraphs.get(instance.type);
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

/** Instances around that showed widgets of the instance show those of the nodes themselves. */
function withProxiesMoved(
  workflow: Loose,
  within: string,
  node: StoredNode,
  inner: Level,
  ids: ReadonlyMap<string, Id>,
): Loose {
  const inside = new Map(proxiesOf(node).map(([id, name]) => [name, id]));
  const known = new Set(inner.nodes.map(({ id }) => String(id)));
  return withInstances(workflow, within, (each) => {
    const proxies = proxiesOf(each);
    if (!proxies.some(([id]) => id === String(node.id))) return each;
    return withProxies(
      each,
      proxies.flatMap(([id, name]): [string, string][] => {
        if (id !== String(node.id)) return [[id, name]];
        const owner = inside.get(name);
        return owner !== undefined && known.has(owner)
          ? [[String(ids.get(owner) ?? owner), name]]
          : [];
      }),
    );
  });
}

/** An instance of a subgraph becomes the nodes it stands for. */
import { asArray } from '../records.ts';
import { MODE_BYPASSED, MODE_MUTED, type ObjectInfo } from '../types.ts';
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
import { withValuesInside } from './values-inside.ts';

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
  const valued = withValuesInside(workflow, within, node, inner.nodes, objectInfo);
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

/** A selection of nodes becomes a subgraph: the nodes move into a definition, an instance takes their place. */
import { blankDefinition, socketHeight } from './blank.ts';
import {
  definitionsOf,
  holderOf,
  proxiesOf,
  withDefinitions,
  withInstances,
  withLevel,
  withProxies,
} from './definitions.ts';
import {
  boundsOf,
  freeIds,
  INPUT_NODE,
  inputsOf,
  OUTPUT_NODE,
  outputsOf,
  readLevel,
  TITLE,
  writeLevel,
  type Id,
  type Level,
  type Loose,
  type StoredLink,
  type StoredNode,
} from './level.ts';

export interface PackParts {
  /** The definition that the nodes are in; null: the workflow itself. */
  readonly within: string | null;
  readonly nodes: readonly Id[];
  /** Frames that go with them, by their places in the level's list. */
  readonly groups?: readonly number[];
  /** Name and id (a UUID) of the new definition. */
  readonly name: string;
  readonly id: string;
  /** Makes ids for the definition's sockets. */
  readonly uuid: () => string;
  /** Widgets of a node that the instance shows. */
  readonly promoted: (node: StoredNode) => readonly string[];
}

/** Sockets of a new definition: each with the end outside, or inside, that it stands for. */
interface Border {
  readonly slots: { name: string; type: unknown; label?: unknown; key: string }[];
  /** The place of the socket for an end; makes one if there is none yet. */
  readonly at: (key: string, slot: Loose, type: unknown) => number;
}

/**
 * Packs nodes of a stored workflow into a new subgraph. The answer is a new workflow and the id of
 * the instance. Throws a TypeError when none of the nodes is there.
 */
export function packSubgraph(
  workflow: Loose,
  parts: PackParts,
): { workflow: Loose; instance: number } {
  const holder = holderOf(workflow, parts.within);
  const level = readLevel(holder);
  const wanted = new Set(parts.nodes.map(String));
  const inside = level.nodes.filter(({ id }) => wanted.has(String(id)));
  if (inside.length === 0) throw new TypeError('nothing is selected that could become a subgraph');
  const free = freeIds(holder, level);
  const instanceId = free.node();
  const { outer, inner, inputs, outputs } = splitLinks(level, inside, instanceId, free.link);

  const taken = new Set(parts.groups);
  const bounds = boundsOf(inside);
  const innerLevel: Level = {
    nodes: inside,
    links: inner,
    reroutes: level.reroutes,
    groups: level.groups.filter((_, i) => taken.has(i)),
  };
  const definition = writeLevel(
    blankDefinition({ ...parts, bounds, inputs: inputs.slots, outputs: outputs.slots }),
    withoutOutsideReroutes(innerLevel),
  );
  const instance = instanceNode(parts, instanceId, bounds, inputs, outputs);
  const proxies = inside.flatMap((node) =>
    parts.promoted(node).map((name) => [String(node.id), name] as const),
  );
  const passedOn = proxiesInto(workflow, parts.within, wanted);
  const shown = unique([...proxies, ...passedOn]);
  const outerLevel: Level = {
    nodes: [...level.nodes.filter((node) => !inside.includes(node)), withProxies(instance, shown)],
    links: outer,
    reroutes: level.reroutes,
    groups: level.groups.filter((_, i) => !taken.has(i)),
  };
  let result = withLevel(workflow, parts.within, outerLevel);
  result = withDefinitions(result, [...definitionsOf(result), definition]);
  if (parts.within !== null && passedOn.length > 0) {
    result = withInstances(result, parts.within, (each) =>
      withProxies(
        each,
        proxiesOf(each).map(([id, name]) => [wanted.has(id) ? String(instanceId) : id, name]),
      ),
    );
  }
  return { workflow: result, instance: instanceId };
}

/** Links of the level after and of the definition, with the sockets between them. */
function splitLinks(
  level: Level,
  inside: readonly StoredNode[],
  instance: number,
  newLink: () => number,
): { outer: StoredLink[]; inner: StoredLink[]; inputs: Border; outputs: Border } {
  const nodes = new Map(inside.map((node) => [node.id, node]));
  const [inputs, outputs] = [border(), border()];
  const outer: StoredLink[] = [];
  const inner: StoredLink[] = [];
  for (const link of level.links) {
    const origin = nodes.get(link.origin_id);
    const target = nodes.get(link.target_id);
    if (origin !== undefined && target !== undefined) inner.push(link);
    else if (target !== undefined) {
      const socket = inputsOf(target)[link.target_slot] ?? {};
      const count = inputs.slots.length;
      const key = `${link.origin_id} ${link.origin_slot}`;
      const slot = inputs.at(key, socket, socket.type ?? link.type);
      const { parentId: _outside, ...plain } = link;
      inner.push({ ...plain, origin_id: INPUT_NODE, origin_slot: slot });
      if (inputs.slots.length === count) continue; // a further target of the same origin
      outer.push({ ...link, id: newLink(), target_id: instance, target_slot: slot });
    } else if (origin !== undefined) {
      const socket = outputsOf(origin)[link.origin_slot] ?? {};
      const count = outputs.slots.length;
      const key = `${link.origin_id} ${link.origin_slot}`;
      const slot = outputs.at(key, socket, socket.type ?? link.type);
      outer.push({ ...link, origin_id: instance, origin_slot: slot });
      if (outputs.slots.length === count) continue;
      const { parentId: _outside, ...plain } = link;
      inner.push({ ...plain, id: newLink(), target_id: OUTPUT_NODE, target_slot: slot });
    } else outer.push(link);
  }
  return { outer, inner, inputs, outputs };
}

function border(): Border {
  const slots: Border['slots'] = [];
  const places = new Map<string, number>();
  const names = new Set<string>();
  return {
    slots,
    at(key, { name, label }, type) {
      const known = places.get(key);
      if (known !== undefined) return known;
      const base = typeof name === 'string' && name !== '' ? name : String(type);
      let own = base;
      for (let n = 1; names.has(own); n++) own = `${base}_${n}`;
      names.add(own);
      places.set(key, slots.length);
      return slots.push({ name: own, type, label, key }) - 1;
    },
  };
}

/** Reroutes that nothing inside runs through stay outside, floating ones too. */
function withoutOutsideReroutes(level: Level): Level {
  return { ...level, reroutes: level.reroutes.filter(({ floating }) => floating === undefined) };
}

/** The instance, above the middle of where its nodes were: it grows downwards with its widgets. */
function instanceNode(
  { id: type, name }: PackParts,
  id: number,
  [x, y, width]: readonly [number, number, number, number],
  inputs: Border,
  outputs: Border,
): StoredNode {
  const size = [
    Math.max(225, 80 + name.length * 9),
    Math.max(inputs.slots.length, outputs.slots.length, 1) * socketHeight + 10,
  ];
  const slot = ({ name: own, type: of, label }: Border['slots'][number]): Loose => ({
    name: own,
    type: of,
    ...(typeof label === 'string' ? { label } : {}),
  });
  return {
    id,
    type,
    pos: [x + (width - size[0]) / 2, y + TITLE],
    size,
    flags: {},
    order: 0,
    mode: 0,
    inputs: inputs.slots.map(slot),
    outputs: outputs.slots.map(slot),
    properties: {},
    widgets_values: [],
  };
}

/** Widgets of the packed nodes that instances of the level around them show. */
function proxiesInto(
  workflow: Loose,
  within: string | null,
  wanted: ReadonlySet<string>,
): [string, string][] {
  if (within === null) return [];
  return [workflow, ...definitionsOf(workflow)]
    .flatMap((holder) => readLevel(holder).nodes)
    .filter(({ type }) => type === within)
    .flatMap((node) => proxiesOf(node).filter(([id]) => wanted.has(id)));
}

const unique = (proxies: readonly (readonly [string, string])[]) => [
  ...new Map(proxies.map((each) => [each.join(' '), each])).values(),
];

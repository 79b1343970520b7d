/**
 * One level of a stored workflow (the root, or the body of a subgraph) in a form that can be changed:
 * links and reroutes in one shape whatever the schema, and everything that repeats them (the sockets'
 * link numbers, the reroutes' lists) written anew at the end.
 */
import { asArray, isRecord } from '../records.ts';

export type Id = number | string;
export type Loose = Record<string, unknown>;

/** The two ends of a subgraph, as links name them. */
export const INPUT_NODE = -10;
export const OUTPUT_NODE = -20;

export interface StoredNode extends Loose {
  readonly id: Id;
  readonly type: string;
}

export interface StoredLink {
  readonly id: number;
  readonly origin_id: Id;
  readonly origin_slot: number;
  readonly target_id: Id;
  readonly target_slot: number;
  readonly type: unknown;
  /** The last reroute on its way. */
  readonly parentId?: number;
}

export interface Level {
  readonly nodes: StoredNode[];
  readonly links: StoredLink[];
  readonly reroutes: Loose[];
  readonly groups: Loose[];
}

/** Reads a level from the record that holds it, a workflow or a definition. Sockets say which link they have. */
export function readLevel(holder: Loose): Level {
  const extra = isRecord(holder.extra) ? holder.extra : {};
  const nodes = asArray(holder.nodes).filter(
    (n): n is StoredNode => isRecord(n) && isId(n.id) && typeof n.type === 'string',
  );
  const parents = new Map(
    asArray(extra.linkExtensions)
      .filter(isRecord)
      .map((e) => [e.id, e.parentId]),
  );
  const stored = asArray(holder.links).flatMap((link) => readLink(link, parents));
  const byId = new Map(stored.map((link) => [link.id, link]));
  const links = stored.filter(({ target_id }) => target_id === OUTPUT_NODE);
  for (const node of nodes) {
    inputsOf(node).forEach((slot, i) => {
      const link = byId.get(Number(slot.link));
      if (slot.link === null || link === undefined) return;
      links.push({ ...link, target_id: node.id, target_slot: i });
    });
  }
  return {
    nodes,
    links,
    reroutes: asArray(holder.reroutes ?? extra.reroutes).filter(isRecord),
    groups: asArray(holder.groups).filter(isRecord),
  };
}

/** The record that held a level, with another one in it. */
export function writeLevel(holder: Loose, level: Level): Loose {
  const reroutes = countedReroutes(level);
  const nodes = withSocketLinks(level);
  const links = level.links.toSorted((a, b) => a.id - b.id);
  const written: Loose = { ...holder, nodes, groups: level.groups };
  if (Array.isArray(holder.floatingLinks)) {
    written.floatingLinks = withKnownEnds(holder.floatingLinks, nodes);
  }
  const highest = {
    lastNodeId: highestId(holder, 'lastNodeId', 'last_node_id', nodes),
    lastLinkId: highestId(holder, 'lastLinkId', 'last_link_id', links),
    lastRerouteId: highestId(holder, 'lastRerouteId', '', reroutes),
  };
  if (isOldForm(holder)) {
    const extra: Loose = { ...(isRecord(holder.extra) ? holder.extra : {}) };
    delete extra.reroutes;
    delete extra.linkExtensions;
    if (reroutes.length > 0) {
      extra.reroutes = reroutes;
      extra.linkExtensions = links
        .filter(({ parentId }) => parentId !== undefined)
        .map(({ id, parentId }) => ({ id, parentId }));
    }
    return {
      ...written,
      last_node_id: highest.lastNodeId,
      last_link_id: highest.lastLinkId,
      extra,
      links: links.map((l) => [
        l.id,
        l.origin_id,
        l.origin_slot,
        l.target_id,
        l.target_slot,
        l.type,
      ]),
    };
  }
  const state = isRecord(holder.state) ? holder.state : {};
  for (const [side, end, slot] of [
    ['inputs', 'origin_id', 'origin_slot'],
    ['outputs', 'target_id', 'target_slot'],
  ] as const) {
    if (!Array.isArray(holder[side])) continue;
    const node = side === 'inputs' ? INPUT_NODE : OUTPUT_NODE;
    written[side] = holder[side].filter(isRecord).map((each, i) => ({
      ...each,
      linkIds: links.filter((l) => l[end] === node && l[slot] === i).map(({ id }) => id),
    }));
  }
  return { ...written, links, reroutes, state: { ...state, ...highest } };
}

/** Numbers of a level that are free: ids that lie above all that were ever given. */
export function freeIds(
  holder: Loose,
  { nodes, links, reroutes }: Level,
): {
  readonly node: () => number;
  readonly link: () => number;
  readonly reroute: () => number;
} {
  const counter = (last: number) => () => ++last;
  return {
    node: counter(highestId(holder, 'lastNodeId', 'last_node_id', nodes)),
    link: counter(highestId(holder, 'lastLinkId', 'last_link_id', links)),
    reroute: counter(highestId(holder, 'lastRerouteId', '', reroutes)),
  };
}

/** Sockets of a node, as stored. */
export const inputsOf = (node: Loose): Loose[] => asArray(node.inputs).filter(isRecord);
export const outputsOf = (node: Loose): Loose[] => asArray(node.outputs).filter(isRecord);

/** The rectangle `[x, y, width, height]` around nodes, their title bars included. */
export function boundsOf(nodes: readonly Loose[]): [number, number, number, number] {
  if (nodes.length === 0) return [0, 0, 0, 0];
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const node of nodes) {
    const [x, y] = pairOf(node.pos, [0, 0]);
    const [width, height] = pairOf(node.size, [225, 100]);
    left = Math.min(left, x);
    top = Math.min(top, y - TITLE);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  }
  return [left, top, right - left, bottom - top];
}

/** Height of a node's title bar, which lies above its position. */
export const TITLE = 30;

/** `[x, y]` from an array or from the old `{"0": x, "1": y}`. */
export function pairOf(value: unknown, otherwise: [number, number]): [number, number] {
  const { 0: x, 1: y } = (value ?? {}) as Record<number, unknown>;
  return typeof x === 'number' && typeof y === 'number' ? [x, y] : otherwise;
}

const isId = (value: unknown): value is Id =>
  typeof value === 'number' || typeof value === 'string';

const isOldForm = (holder: Loose): boolean => holder.version !== 1;

function readLink(stored: unknown, parents: ReadonlyMap<unknown, unknown>): StoredLink[] {
  const [id, origin_id, origin_slot, target_id, target_slot, type] = Array.isArray(stored)
    ? (stored as unknown[])
    : isRecord(stored)
      ? [
          stored.id,
          stored.origin_id,
          stored.origin_slot,
          stored.target_id,
          stored.target_slot,
          stored.type,
        ]
      : [];
  if (typeof id !== 'number' || !isId(origin_id) || !isId(target_id)) return [];
  const parentId = isRecord(stored) ? stored.parentId : parents.get(id);
  const link: StoredLink = {
    id,
    origin_id,
    origin_slot: Number(origin_slot) || 0,
    target_id,
    target_slot: Number(target_slot) || 0,
    type,
  };
  return [typeof parentId === 'number' ? { ...link, parentId } : link];
}

/** The nodes of a level with the links that end and begin at their sockets. */
function withSocketLinks({ nodes, links }: Level): StoredNode[] {
  const into = new Map<string, number>();
  const outOf = new Map<string, number[]>();
  for (const link of links) {
    into.set(`${link.target_id} ${link.target_slot}`, link.id);
    const from = `${link.origin_id} ${link.origin_slot}`;
    outOf.set(from, [...(outOf.get(from) ?? []), link.id]);
  }
  return nodes.map((node) => {
    const changed: Loose = {};
    if (Array.isArray(node.inputs)) {
      changed.inputs = inputsOf(node).map((slot, i) => ({
        ...slot,
        link: into.get(`${node.id} ${i}`) ?? null,
      }));
    }
    if (Array.isArray(node.outputs)) {
      changed.outputs = outputsOf(node).map((slot, i) => ({
        ...slot,
        links: outOf.get(`${node.id} ${i}`) ?? null,
      }));
    }
    return { ...node, ...changed };
  });
}

/** Links that hang loose on one side; the node on the other must still be there. */
function withKnownEnds(floating: readonly unknown[], nodes: readonly StoredNode[]): unknown[] {
  const known = new Set<unknown>([-1, INPUT_NODE, OUTPUT_NODE, ...nodes.map(({ id }) => id)]);
  return floating.filter(
    (link) => isRecord(link) && known.has(link.origin_id) && known.has(link.target_id),
  );
}

/** Reroutes with the links that run through them; those nothing runs through are gone, floating ones stay. */
function countedReroutes({ links, reroutes }: Level): Loose[] {
  const byId = new Map(reroutes.map((r) => [r.id, r]));
  const through = new Map<unknown, number[]>();
  for (const { id, parentId } of links) {
    const seen = new Set<unknown>();
    for (let at: unknown = parentId; byId.has(at) && !seen.has(at); at = byId.get(at)?.parentId) {
      seen.add(at);
      through.set(at, [...(through.get(at) ?? []), id]);
    }
  }
  return reroutes
    .filter(({ id, floating }) => through.has(id) || floating !== undefined)
    .map((r) => ({ ...r, linkIds: through.get(r.id) ?? [] }));
}

function highestId(
  holder: Loose,
  inState: string,
  inOldForm: string,
  items: readonly { readonly id?: unknown }[],
): number {
  const stored = isRecord(holder.state) ? holder.state[inState] : holder[inOldForm];
  return items.reduce(
    (highest, { id }) => (typeof id === 'number' && id > highest ? id : highest),
    typeof stored === 'number' ? stored : 0,
  );
}

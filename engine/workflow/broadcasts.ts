/**
 * Use Everywhere (cg-use-everywhere): nodes that send what is linked to them to every input of its type that nothing is
 * linked to. Only the editor knows of it, so the links are made here. Newer files say which links those were
 * (`extra.ue_links`); of others the pack's rules are followed, but for those of groups and colours: such nodes
 * send nothing.
 */

import type { Json } from './lossless-json.ts';
import { isRecord } from './records.ts';
import type { Graph, GraphLink, GraphNode, InputSlot } from './types.ts';

const SENDERS: ReadonlySet<string> = new Set([
  'Anything Everywhere',
  'Anything Everywhere3',
  'Anything Everywhere?',
  'Prompts Everywhere',
  'Seed Everywhere',
]);

/** One value on its way to all inputs that take it. */
interface Broadcast {
  readonly originId: string;
  readonly originSlot: number;
  readonly type: string;
  readonly priority: number;
  readonly takes: (node: GraphNode, input: InputSlot) => boolean;
}

/** A place that is to get a link, and where it comes from. */
type Made = Pick<GraphLink, 'originId' | 'originSlot' | 'targetId' | 'targetSlot'>;

/** The graph with the links that its broadcasting nodes stand for; `saved` is the file's list of them. */
export function withBroadcasts(graph: Graph, saved: unknown): Graph {
  const made = savedLinks(graph, saved) ?? foundLinks(graph);
  if (made.length === 0) return graph;
  const links = new Map(graph.links);
  const nodes = new Map(graph.nodes);
  for (const { targetId, targetSlot, ...origin } of made) {
    const node = nodes.get(targetId);
    const slot = node?.inputs[targetSlot];
    if (node === undefined || slot === undefined || isLinked(graph, slot)) continue;
    const link = `everywhere ${targetId} ${targetSlot}`;
    links.set(link, { ...origin, targetId, targetSlot, type: slot.type });
    const inputs = node.inputs.map((input) => (input === slot ? { ...slot, link } : input));
    nodes.set(targetId, { ...node, inputs });
  }
  return { nodes, links };
}

const isLinked = ({ links }: Graph, { link }: InputSlot): boolean =>
  link !== undefined && links.has(link);

/** The links that the file itself lists; undefined when it lists none. */
function savedLinks({ nodes }: Graph, saved: unknown): Made[] | undefined {
  if (!Array.isArray(saved) || saved.length === 0) return undefined;
  return (saved as unknown[]).filter(isRecord).flatMap((entry) => {
    const { downstream, downstream_slot, upstream, upstream_slot } = entry;
    const made = {
      originId: String(upstream),
      originSlot: Number(upstream_slot),
      targetId: String(downstream),
      targetSlot: Number(downstream_slot),
    };
    return nodes.has(made.originId) && nodes.has(made.targetId) ? [made] : [];
  });
}

/** Most broadcasts that are looked at: every open input asks each of them. */
const MOST = 200;

/** The links that the pack would make. Where two nodes of the same rank send to an input, it gets none. */
function foundLinks(graph: Graph): Made[] {
  const senders = [...graph.nodes.values()].filter(
    (node) => SENDERS.has(node.type) && node.mode === 0,
  );
  const broadcasts = senders.flatMap((node) => broadcastsOf(graph, node)).slice(0, MOST);
  if (broadcasts.length === 0) return [];
  const listsWidgets = widgetsAreListed(graph);
  const made: Made[] = [];
  for (const node of graph.nodes.values()) {
    if (SENDERS.has(node.type) || node.mode !== 0 || rejects(node)) continue;
    node.inputs.forEach((input, targetSlot) => {
      if (isLinked(graph, input) || !isOpen(node, input, listsWidgets)) return;
      const [best, next] = broadcasts
        .filter((one) => one.type === input.type && one.originId !== node.id)
        .filter((one) => one.takes(node, input))
        .sort((a, b) => b.priority - a.priority) as (Broadcast | undefined)[];
      if (best === undefined || best.priority === next?.priority) return;
      const { originId, originSlot } = best;
      made.push({ originId, originSlot, targetId: node.id, targetSlot });
    });
  }
  return made;
}

const propertiesOf = ({ properties }: GraphNode): Readonly<Record<string, Json>> =>
  isRecord(properties.ue_properties) ? properties.ue_properties : properties;

const rejects = ({ properties }: GraphNode): boolean => properties.rejects_ue_links === true;

/** Whether the editor that wrote the file lists every widget as an input too (from 1.16 on). */
function widgetsAreListed({ nodes }: Graph): boolean {
  const withValues = [...nodes.values()].filter(
    ({ type, values }) => !SENDERS.has(type) && Array.isArray(values) && values.length > 0,
  );
  return withValues.every(({ inputs }) => inputs.some(({ widget }) => widget !== undefined));
}

/** Sockets are open; widgets where somebody said so, which in old files an input slot for them does. */
function isOpen(node: GraphNode, { name, widget }: InputSlot, listsWidgets: boolean): boolean {
  if (widget === undefined) return true;
  const { widget_ue_connectable: open } = propertiesOf(node);
  return isRecord(open) ? open[name] === true : !listsWidgets;
}

/** What a node sends, one for each of its inputs that something is linked to. */
function broadcastsOf(graph: Graph, node: GraphNode): Broadcast[] {
  const { group_restricted, color_restricted, priority, ...properties } = propertiesOf(node);
  if (Number(group_restricted ?? 0) > 0 || Number(color_restricted ?? 0) > 0) return [];
  const rules = rulesOf(node, properties);
  if (rules === undefined) return [];
  const rank = typeof priority === 'number' ? priority : rankOf(node, rules.length > 0);
  const all = (extra: readonly Rule[]) => (target: GraphNode, input: InputSlot) =>
    [...rules, ...extra].every((rule) => rule(target, input));
  if (node.type === 'Seed Everywhere') {
    const takes = all([(_, { name }) => /seed/.test(name)]);
    return [{ originId: node.id, originSlot: 0, type: 'INT', priority: rank, takes }];
  }
  const sent = node.inputs.flatMap((input) => {
    const link = input.link === undefined ? undefined : graph.links.get(input.link);
    const origin = link && graph.nodes.get(link.originId);
    const type = link && (origin?.outputs[link.originSlot]?.type ?? link.type);
    return link === undefined || type === undefined || type === '*' ? [] : [{ input, link, type }];
  });
  const types = sent.map(({ type }) => type);
  const repeated = new Set(types.toSorted().filter((type, i, all) => type === all[i + 1]));
  return sent.slice(0, MOST).map(({ input, link, type }) => {
    const rule = namedLike(node, input, repeated.has(type));
    const takes = all(rule === undefined ? [] : [rule]);
    return { originId: link.originId, originSlot: link.originSlot, type, priority: rank, takes };
  });
}

type Rule = (node: GraphNode, input: InputSlot) => boolean;

const PROMPTS = [/(_|\b)pos(itive|_|\b)|positive/, /(_|\b)neg(ative|_|\b)|negative/] as const;

/** Prompts go by what an input is called; of two values of one type each goes to inputs of its own name. */
function namedLike(node: GraphNode, input: InputSlot, isRepeated: boolean): Rule | undefined {
  if (node.type === 'Prompts Everywhere') {
    const pattern = PROMPTS[node.inputs.indexOf(input)] as RegExp | undefined;
    return (_, { name }) => pattern?.test(name) === true;
  }
  if (!isRepeated) return undefined;
  const wanted = input.label ?? input.name;
  return (_, { name, label }) => (label ?? name) === wanted;
}

const rankOf = ({ type }: GraphNode, hasRules: boolean): number =>
  10 + (/^(Seed|Prompts) /.test(type) ? 10 : 0) + (hasRules ? 20 : 0);

/** The node's own conditions on titles and inputs; undefined when one cannot be followed. */
function rulesOf(node: GraphNode, properties: Readonly<Record<string, Json>>): Rule[] | undefined {
  const [title, input, group] =
    node.type === 'Anything Everywhere?' && Array.isArray(node.values)
      ? (node.values as Json[])
      : [properties.title_regex, properties.input_regex, properties.group_regex];
  if (typeof group === 'string' && !['', '.*'].includes(group)) return undefined;
  const byTitle = condition(title, properties.title_regex_invert);
  const byInput = condition(input, properties.input_regex_invert);
  if (byTitle === undefined || byInput === undefined) return undefined;
  return [
    ...byTitle.map(
      (test): Rule =>
        (target) =>
          test(target.title ?? target.type),
    ),
    ...byInput.map(
      (test): Rule =>
        (_, { name, label }) =>
          test(label ?? name),
    ),
  ];
}

/** Longest pattern, and most of a text that it sees. */
const LONGEST = 200;

/**
 * A pattern as a test; none for nothing, undefined where it cannot be followed. Patterns come from files: one whose
 * matching may take very long (repeated groups, many repetitions) is not tried.
 */
function condition(pattern: unknown, invert: unknown): ((text: string) => boolean)[] | undefined {
  if (typeof pattern !== 'string' || pattern === '' || pattern === '.*') return [];
  const repetitions = pattern.match(/[*+{]/g)?.length ?? 0;
  if (pattern.length > LONGEST || repetitions > 3 || /\)[*+{?]|\\\d/.test(pattern))
    return undefined;
  try {
    const regex = new RegExp(pattern);
    return [(text) => regex.test(text.slice(0, LONGEST)) !== (invert === true)];
  } catch {
    return undefined;
  }
}

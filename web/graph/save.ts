import type { LGraph } from '@comfyorg/litegraph';
import { asArray, isRecord } from '../../engine/workflow/records.ts';

/**
 * The graph as a workflow file, in the schema it was loaded from (0.4 for new ones). `source` is
 * the parsed file it came from: keys of it that the editor does not know are kept. All of it is a
 * copy but for what `keep` returns in the place of something.
 */
export function saveWorkflow(
  graph: LGraph,
  source: unknown,
  keep: (value: unknown) => unknown = () => undefined,
): Record<string, unknown> {
  const from = isRecord(source) ? source : {};
  graph.updateExecutionOrder();
  const asIs = (from.version === 1 ? graph.asSerialisable() : graph.serialize()) as object;
  const saved = copyOf(asIs, keep) as Record<string, unknown>;

  const result: Record<string, unknown> = { ...from, ...saved };
  result.extra = restoreExtra(from.extra, saved.extra);
  if (Object.keys(result.extra as object).length === 0 && from.extra === undefined) {
    result.extra = {};
  }
  result.groups = restoreGroups(from.groups, saved.groups);
  const definitions = restoreDefinitions(from, withReroutes(graph, saved.definitions));
  if (definitions === undefined) delete result.definitions;
  else result.definitions = definitions;
  return result;
}

function restoreExtra(from: unknown, saved: unknown): Record<string, unknown> {
  const before = isRecord(from) ? from : {};
  const now = isRecord(saved) ? saved : {};
  const merged = { ...before, ...now };
  // These two follow the graph: when the last reroute went there are none to list.
  if (Array.isArray(before.reroutes) && before.reroutes.length > 0 && !('reroutes' in now)) {
    delete merged.reroutes;
    delete merged.linkExtensions;
  }
  return merged;
}

function restoreGroups(from: unknown, saved: unknown): unknown {
  if (!Array.isArray(saved) || !Array.isArray(from)) return saved;
  return saved.map((group: unknown, i) => {
    const before: unknown = from[i];
    if (!isRecord(group) || !isRecord(before) || before.title !== group.title) return group;
    const merged: Record<string, unknown> = { ...before, ...group };
    if (!('id' in before)) delete merged.id;
    if (sameRect(before.bounding, group.bounding)) merged.bounding = before.bounding;
    for (const key of ['flags', 'color', 'font_size']) {
      if (!(key in before) && isDefaultGroupValue(key, group[key])) delete merged[key];
    }
    return merged;
  });
}

const isDefaultGroupValue = (key: string, value: unknown): boolean =>
  key === 'flags'
    ? isRecord(value) && Object.keys(value).length === 0
    : value === undefined || (key === 'font_size' && value === 24);

const sameRect = (a: unknown, b: unknown): boolean =>
  Array.isArray(a) &&
  Array.isArray(b) &&
  a.length === b.length &&
  a.every((x, i) => typeof x === 'number' && Math.fround(x) === Math.fround(Number(b[i])));

function restoreDefinitions(file: Record<string, unknown>, saved: unknown): unknown {
  const from = file.definitions;
  if (!isRecord(from)) return saved;
  const before = Array.isArray(from.subgraphs) ? from.subgraphs.filter(isRecord) : [];
  const list: unknown = isRecord(saved) ? saved.subgraphs : [];
  const now = (Array.isArray(list) ? list : []).filter(isRecord);
  const byId = new Map(now.map((d) => [d.id, d]));
  const used = new Set<unknown>();
  for (const holder of [file, ...before]) {
    for (const node of asArray(holder.nodes)) if (isRecord(node)) used.add(node.type);
  }
  // The file's order first (definitions that nothing used in it included), new ones after.
  const kept = before.flatMap((old) => {
    const current = byId.get(old.id);
    byId.delete(old.id);
    if (current !== undefined) return [mergeDefinition(old, current)];
    return used.has(old.id) ? [] : [old];
  });
  return { ...from, subgraphs: [...kept, ...byId.values()] };
}

/** litegraph leaves the reroutes and loose links of subgraphs out. */
function withReroutes(graph: LGraph, saved: unknown): unknown {
  if (!isRecord(saved)) return saved;
  const subgraphs = asArray(saved.subgraphs).map((definition) => {
    const live = isRecord(definition) ? graph.subgraphs.get(String(definition.id)) : undefined;
    if (!isRecord(definition) || live === undefined) return definition;
    const { reroutes, floatingLinks } = live;
    if (reroutes.size > 0) {
      definition.reroutes = [...reroutes.values()].map((each) => each.asSerialisable());
    }
    if (floatingLinks.size > 0) {
      definition.floatingLinks = [...floatingLinks.values()].map((each) => each.asSerialisable());
    }
    return definition;
  });
  return { ...saved, subgraphs };
}

function mergeDefinition(
  old: Record<string, unknown>,
  current: Record<string, unknown>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...old, ...current };
  for (const side of ['inputs', 'outputs']) {
    const before = Array.isArray(old[side]) ? (old[side] as unknown[]).filter(isRecord) : [];
    const slots = Array.isArray(current[side]) ? (current[side] as unknown[]).filter(isRecord) : [];
    merged[side] = slots.map((slot) => ({ ...before.find((b) => b.id === slot.id), ...slot }));
  }
  merged.groups = restoreGroups(old.groups, current.groups);
  return merged;
}

/** A deep copy of plain data, without members that are undefined. */
function copyOf(value: unknown, keep: (value: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const kept = keep(value);
  if (kept !== undefined) return kept;
  if (Array.isArray(value)) return value.map((item) => copyOf(item, keep));
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array);
  const copy: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) copy[key] = copyOf(member, keep);
  }
  return copy;
}

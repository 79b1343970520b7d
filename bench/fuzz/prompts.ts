/** Prompts: random graphs of all nodes there are, whole or with something wrong in them. */
import type { Random } from './random.ts';
import { oddText, oddValue, set } from './values.ts';

export type Node = { class_type: string; inputs: Record<string, unknown> };
export type Graph = Record<string, Node>;

type InputInfo = readonly [type: string | readonly unknown[], options?: Record<string, unknown>];

/** What is read of one entry of GET /object_info. */
export interface NodeInfo {
  readonly input: {
    readonly required?: Readonly<Record<string, InputInfo>>;
    readonly optional?: Readonly<Record<string, InputInfo>>;
  };
  readonly output: readonly unknown[];
  readonly output_node: boolean;
}

export type ObjectInfo = Readonly<Record<string, NodeInfo>>;

/** Makes graphs from what the server says of its nodes. */
export function createPrompts(info: ObjectInfo): { graph(random: Random): Graph } {
  const names = Object.keys(info);
  const outputs = names.filter((name) => info[name].output_node);
  const producers = new Map<string, [name: string, slot: number][]>();
  for (const name of names) {
    for (const [slot, type] of info[name].output.entries()) {
      const list = producers.get(String(type)) ?? [];
      list.push([name, slot]);
      producers.set(String(type), list);
    }
  }

  /** Adds a node with all it needs and returns its id. */
  const add = (random: Random, graph: Graph, name: string, depth: number): string => {
    const node: Node = { class_type: name, inputs: {} };
    const { required = {}, optional = {} } = info[name].input;
    for (const [input, spec] of Object.entries(required)) {
      node.inputs[input] = fill(random, graph, input, spec, depth);
    }
    for (const [input, spec] of Object.entries(optional)) {
      if (random.chance(0.4)) node.inputs[input] = fill(random, graph, input, spec, depth);
    }
    // Only now: nothing that it needs may lead back to it.
    const id = String(Object.keys(graph).length + 1);
    graph[id] = node;
    return id;
  };

  const fill = (
    random: Random,
    graph: Graph,
    input: string,
    [type, options = {}]: InputInfo,
    depth: number,
  ): unknown => {
    const constant = constantOf(random, input, type, options);
    if (constant !== undefined && !(depth < 4 && random.chance(0.1))) return constant;
    const wanted = String(type);
    const found = [
      ...(producers.get(wanted) ?? (wanted === '*' ? producers.get('STRING') : []) ?? []),
    ];
    const existing = Object.keys(graph).flatMap((id) =>
      info[graph[id].class_type].output.flatMap((kind, slot) =>
        String(kind) === wanted ? [[id, slot] as const] : [],
      ),
    );
    if (existing.length > 0 && (depth > 5 || random.chance(0.5))) return random.pick(existing);
    if (found.length === 0 || depth > 7) return constant ?? oddValue(random);
    // Deep down, sources that need nothing end the recursion.
    const simple = found.filter(([name]) => needsNothing(info[name]));
    const [name, slot] = random.pick(depth > 2 && simple.length > 0 ? simple : found);
    return [add(random, graph, name, depth + 1), slot];
  };

  return {
    graph: (random) => {
      const graph: Graph = {};
      for (let i = random.int(1, 2); i > 0; i--) add(random, graph, random.pick(outputs), 0);
      return graph;
    },
  };
}

const PRIMITIVE = new Set(['INT', 'FLOAT', 'STRING', 'BOOLEAN', 'COMBO']);

const needsNothing = ({ input }: NodeInfo): boolean =>
  Object.values(input.required ?? {}).every(
    ([type]) => typeof type !== 'string' || PRIMITIVE.has(type),
  );

/** Inputs whose values cost memory or time in proportion: only small ones are tried. */
const SIZES =
  /width|height|size|amount|batch|length|steps|radius|count|megapixels|factor|left|right|top|bottom|expand|scale/i;

/** A value that the input takes; undefined when it takes links only. */
function constantOf(
  random: Random,
  input: string,
  type: string | readonly unknown[],
  options: Record<string, unknown>,
): unknown {
  const choices = Array.isArray(type) ? (type as unknown[]) : options.options;
  if (Array.isArray(choices) && choices.length > 0 && random.chance(0.95)) {
    return random.pick(choices) as unknown;
  }
  // Lists of files: those of the uploads.
  if (Array.isArray(choices) || type === 'COMBO') {
    return random.chance(0.9) ? `fuzz-${random.int(0, 9)}.png` : oddText(random);
  }
  const { default: standard, ...limits } = options as Record<string, number | undefined>;
  const min = Math.max(Number(limits.min ?? 0), -1000);
  const max = Math.min(Number(limits.max ?? 100), 1000);
  switch (type) {
    case 'INT':
      if (SIZES.test(input)) return Math.min(max, Math.max(min, random.pick([1, 2, 8, 16, 64])));
      return random.pick([min, max, Number(standard ?? 1), random.int(0, 10)]);
    case 'FLOAT':
      if (SIZES.test(input)) return Math.min(max, Math.max(min, random.pick([0.25, 0.5, 1, 2])));
      return random.pick([min, Math.min(max, 10), Number(standard ?? 1), random.next()]);
    case 'STRING':
      return oddText(random);
    case 'BOOLEAN':
      return random.chance(0.5);
    default:
      return undefined;
  }
}

/** Puts between none and a few things wrong into a prompt; the result may be no prompt at all. */
export function mutate(random: Random, graph: Graph): unknown {
  let prompt: unknown = graph;
  for (let i = random.pick([0, 0, 1, 1, 2, 4]); i > 0; i--) prompt = change(random, prompt);
  return prompt;
}

function change(random: Random, prompt: unknown): unknown {
  if (random.chance(0.01)) return oddValue(random);
  const places = placesIn(prompt, 0);
  if (places.length === 0) return prompt;
  const { holder, key } = random.pick(places);
  const value = Reflect.get(holder, key) as unknown;
  switch (random.int(0, 5)) {
    case 0:
      Reflect.deleteProperty(holder, key);
      break;
    case 1:
      set(holder, oddText(random), value);
      break;
    case 2: {
      // A link to some node: cycles, wrong types, slots that are not there.
      const ids = Object.keys(prompt as object);
      set(holder, key, [random.pick(ids), random.pick([0, 0, 1, 7, -1, 2 ** 40])]);
      break;
    }
    case 3:
      set(holder, key, random.pick(places).holder);
      // The same object twice is written twice; one that holds itself could not be written.
      if (holdsItself(prompt)) set(holder, key, null);
      break;
    default:
      set(holder, key, oddValue(random));
  }
  return prompt;
}

interface Place {
  readonly holder: object;
  readonly key: string;
}

function placesIn(value: unknown, depth: number): Place[] {
  if (value === null || typeof value !== 'object' || depth > 6) return [];
  return Object.keys(value).flatMap((key) => [
    { holder: value, key },
    ...placesIn(Reflect.get(value, key), depth + 1),
  ]);
}

function holdsItself(value: unknown, above: readonly object[] = []): boolean {
  if (value === null || typeof value !== 'object' || above.length > 4000) return false;
  if (above.includes(value)) return true;
  return Object.values(value).some((item) => holdsItself(item, [...above, value]));
}

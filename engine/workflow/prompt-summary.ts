/** What tells one prompt from another for people: its words and its seed. */
import { Float } from './lossless-json.ts';

export interface PromptSummary {
  /** The words that the picture is made from; '' where no text was found. */
  readonly text: string;
  /** The first seed, digit for digit; null where there is none. */
  readonly seed: string | null;
  readonly nodes: number;
}

interface Node {
  readonly class_type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

const TEXTS = ['text', 'text_g', 't5xxl', 'clip_l', 'text_l', 'prompt', 'value', 'string'];
const SEEDS = ['seed', 'noise_seed', 'value', 'int'];
/** Inputs that lead from a sampler to the words that count, in order of preference. */
const WAY = ['positive', 'guider', 'conditioning', 'conditioning_1', 'conditioning_to', ...TEXTS];
/** Nodes that are looked at on the way: a prompt from outside may go round in circles. */
const FARTHEST = 200;

/** The summary of an API prompt (`{id: {class_type, inputs}}`); anything else has none. */
export function promptSummary(prompt: unknown): PromptSummary {
  const nodes = new Map<string, Node>();
  for (const [id, node] of Object.entries(isRecord(prompt) ? prompt : {})) {
    if (!isRecord(node) || typeof node.class_type !== 'string') continue;
    nodes.set(id, {
      class_type: node.class_type,
      inputs: isRecord(node.inputs) ? node.inputs : {},
    });
  }
  return { text: textOf(nodes), seed: seedOf(nodes), nodes: nodes.size };
}

function textOf(nodes: ReadonlyMap<string, Node>): string {
  for (const { inputs } of nodes.values()) {
    const found = linked(nodes, inputs.positive ?? inputs.guider, wordsOf);
    if (found !== undefined) return found;
  }
  const encoders = [...nodes.values()].filter(({ class_type }) => /text|prompt/i.test(class_type));
  for (const { inputs } of encoders) {
    const words = wordsOf(inputs) ?? linked(nodes, inputs.text, wordsOf);
    if (words !== undefined) return words;
  }
  return '';
}

function seedOf(nodes: ReadonlyMap<string, Node>): string | null {
  for (const { inputs } of nodes.values()) {
    const value = inputs.seed ?? inputs.noise_seed;
    const seed = numberText(value) ?? linked(nodes, value, seedIn);
    if (seed !== undefined) return seed;
  }
  return null;
}

/** What `read` finds in the node that a link leads to, or in those before it. */
function linked(
  nodes: ReadonlyMap<string, Node>,
  link: unknown,
  read: (inputs: Node['inputs']) => string | undefined,
): string | undefined {
  const next: unknown[] = [link];
  const seen = new Set<string>();
  while (next.length > 0 && seen.size < FARTHEST) {
    const at = next.shift();
    const id = Array.isArray(at) ? String(at[0]) : undefined;
    const node = id === undefined ? undefined : nodes.get(id);
    if (id === undefined || node === undefined || seen.has(id)) continue;
    seen.add(id);
    const found = read(node.inputs);
    if (found !== undefined) return found;
    next.push(...WAY.map((name) => node.inputs[name]), ...Object.values(node.inputs));
  }
  return undefined;
}

function wordsOf(inputs: Node['inputs']): string | undefined {
  const words = TEXTS.map((name) => inputs[name]).find(
    (value) => typeof value === 'string' && value.trim() !== '',
  );
  return words === undefined ? undefined : (words as string).trim();
}

const seedIn = (inputs: Node['inputs']): string | undefined =>
  SEEDS.map((name) => numberText(inputs[name])).find((text) => text !== undefined);

function numberText(value: unknown): string | undefined {
  if (value instanceof Float) return undefined;
  return typeof value === 'number' || typeof value === 'bigint' ? value.toString() : undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Which texts of a prompt are wanted in the picture and which are not: told from the samplers backwards. */
import type { Json } from '../lossless-json.ts';
import type { ApiPrompt } from '../types.ts';

export type Polarity = 'positive' | 'negative';

/** Inputs where conditioning enters what samples. */
const ENTRIES: Readonly<Record<string, Polarity>> = {
  positive: 'positive',
  negative: 'negative',
  conditioning: 'positive',
};

/**
 * Nodes that a sampler's `positive` or `negative` comes from. A node that both come from is decided
 * by its title, and is wanted where that says nothing.
 */
export function promptRoles(prompt: ApiPrompt): ReadonlyMap<string, Polarity> {
  const found = new Map<string, Set<Polarity>>();
  for (const node of Object.values(prompt)) {
    if (!/Sampler|Guider/i.test(node.class_type)) continue;
    for (const [input, polarity] of Object.entries(ENTRIES)) {
      follow(prompt, node.inputs[input], polarity, found);
    }
  }
  return new Map(
    [...found].map(([id, polarities]) => {
      const [only] = polarities;
      const title = prompt[id]._meta?.title ?? '';
      return [id, polarities.size === 1 ? only : /neg/i.test(title) ? 'negative' : 'positive'];
    }),
  );
}

function follow(
  prompt: ApiPrompt,
  from: Json | undefined,
  polarity: Polarity,
  found: Map<string, Set<Polarity>>,
): void {
  const ahead: (Json | undefined)[] = [from];
  for (let value = ahead.pop(); value !== undefined; value = ahead.pop()) {
    const link = linkOf(prompt, value);
    if (link === undefined) continue;
    const [id, slot] = link;
    const known = found.get(id) ?? new Set();
    if (known.has(polarity)) continue;
    found.set(id, known.add(polarity));
    const { inputs } = prompt[id];
    const isPair = 'positive' in inputs && 'negative' in inputs;
    // Nodes that take both hand them on in their order.
    if (isPair && slot < 2) ahead.push(slot === 0 ? inputs.positive : inputs.negative);
    else ahead.push(...Object.values(inputs));
  }
}

/** The node and slot that a value of a prompt is linked to. */
export function linkOf(prompt: ApiPrompt, value: Json | undefined): [string, number] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [id, slot] = value;
  if (typeof id !== 'string' || typeof slot !== 'number') return undefined;
  return Object.hasOwn(prompt, id) ? [id, slot] : undefined;
}

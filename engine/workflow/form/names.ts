/** Names and labels that tell the fields of a form apart. */
import type { Draft, FormField } from './form.ts';

/** Gives every field a name of its own, and labels that say which node is meant where two are alike. */
export function nameFields(
  drafts: readonly (Draft & { readonly hidden: boolean })[],
): readonly FormField[] {
  const taken = new Set<string>();
  const labels = new Map<string, number>();
  for (const { label, advanced } of drafts) {
    if (!advanced) labels.set(label, (labels.get(label) ?? 0) + 1);
  }
  return drafts.map(({ titled, ...draft }) => {
    const isShared = !draft.advanced && !titled && (labels.get(draft.label) ?? 0) > 1;
    const label = isShared ? `${draft.label} (${draft.node_id})` : draft.label;
    const base = ROLE_NAMES[draft.role ?? ''] ?? slug(draft.label);
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}_${n}`;
    taken.add(name);
    return { ...draft, label, name };
  });
}

const ROLE_NAMES: Readonly<Record<string, string | undefined>> = {
  positive: 'prompt',
  negative: 'negative_prompt',
  seed: 'seed',
  width: 'width',
  height: 'height',
  length: 'length',
  batch: 'batch',
  steps: 'steps',
  cfg: 'cfg',
  denoise: 'denoise',
};

const slug = (label: string): string =>
  label
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
    .replaceAll(/^_+|_+$/g, '') || 'field';

/**
 * Nodes that stand in for classes that are gone: a definition names what it `replaces`, the editor
 * asks for the list, and prompts that still use the old class are rewritten (spec §1.3, N).
 */
import type { Json } from '../workflow/lossless-json.ts';
import type { NodeReplacement, NodeRegistry, Prompt, PromptNode } from './definition.ts';
import { isLink, linkSource } from './link.ts';
import { entriesOf, objectOf } from '../workflow/lossless-json.ts';

/** GET /node_replacements: old class -> its replacements, in ComfyUI's form. */
export function replacementsJson(nodes: NodeRegistry): Record<string, Json[]> {
  const listed: Record<string, Json[]> = {};
  for (const { name, replaces = [] } of nodes.values()) {
    for (const { oldNode, oldWidgets, inputs, outputs } of replaces) {
      const entry: Json = {
        new_node_id: name,
        old_node_id: oldNode,
        old_widget_ids: oldWidgets === undefined ? null : [...oldWidgets],
        input_mapping:
          inputs?.map((input): Json =>
            'old' in input
              ? { new_id: input.new, old_id: input.old }
              : { new_id: input.new, set_value: input.set },
          ) ?? null,
        output_mapping:
          outputs?.map(({ new: new_idx, old: old_idx }) => ({ new_idx, old_idx })) ?? null,
      };
      if (!Object.hasOwn(listed, oldNode)) listed[oldNode] = [];
      listed[oldNode].push(entry);
    }
  }
  return listed;
}

/**
 * Rewrites, in place, nodes of unknown classes that a known node replaces (the first one wins): with
 * an input list only the named inputs survive, with an output list links to the node are renumbered.
 */
export function replaceOldNodes(prompt: Prompt, nodes: NodeRegistry): void {
  const unknown = entriesOf(prompt).filter(([, node]) => !nodes.has(node.class_type));
  if (unknown.length === 0) return;
  const known = new Map<string, { name: string; replacement: NodeReplacement }>();
  for (const { name, replaces = [] } of nodes.values()) {
    for (const replacement of replaces) {
      if (!known.has(replacement.oldNode)) known.set(replacement.oldNode, { name, replacement });
    }
  }
  const slots = new Map<string, ReadonlyMap<number, number>>();
  for (const [id, node] of unknown) {
    const found = known.get(node.class_type);
    if (found === undefined) continue;
    node.class_type = found.name;
    node.inputs = mappedInputs(node, found.replacement);
    const { outputs } = found.replacement;
    if (outputs !== undefined) slots.set(id, new Map(outputs.map((slot) => [slot.old, slot.new])));
  }
  if (slots.size > 0) renumberLinks(prompt, slots);
}

function mappedInputs(
  { inputs }: PromptNode,
  { inputs: mapping }: NodeReplacement,
): PromptNode['inputs'] {
  if (mapping === undefined) return inputs;
  return objectOf(
    mapping.flatMap((input): [string, Json][] => {
      if ('set' in input) return [[input.new, input.set]];
      return Object.hasOwn(inputs ?? {}, input.old) ? [[input.new, inputs[input.old]]] : [];
    }),
  );
}

function renumberLinks(
  prompt: Prompt,
  slots: ReadonlyMap<string, ReadonlyMap<number, number>>,
): void {
  for (const { inputs } of Object.values(prompt)) {
    for (const [name, value] of Object.entries(inputs ?? {})) {
      if (!isLink(value)) continue;
      const slot = slots.get(linkSource(value))?.get(Number(value[1]));
      if (slot !== undefined) inputs[name] = [value[0], slot];
    }
  }
}

/** IS_CHANGED: what a node says about the world outside its inputs, as a part of its cache key. */
import type { Json } from '../workflow/lossless-json.ts';
import { createContext } from './context.ts';
import { nestInputs } from './dynamic-inputs.ts';
import { gatherInputs } from './gather-inputs.ts';
import { callsOf } from './map-slices.ts';
import { definitionOf } from './run.ts';
import type { Run } from './run.ts';

/**
 * Asks a node, with its constants only (links are null). The answer, one value per slice, is also
 * written into the node as `is_changed`, where saved metadata shows it; a value the client sent is
 * used instead of asking. A node that throws answers NaN: it always runs.
 */
export async function readIsChanged(run: Run, nodeId: string): Promise<unknown> {
  const definition = definitionOf(run.host.nodes, run.prompt, nodeId);
  const ask = definition.isChanged?.bind(definition);
  if (ask === undefined) return false;
  const node = run.prompt.getNode(nodeId) as { inputs: Record<string, unknown>; is_changed?: Json };
  if (node.is_changed !== undefined) return node.is_changed;

  const { slices } = gatherInputs(
    definition,
    { class_type: definition.name, inputs: node.inputs },
    nodeId,
  );
  try {
    const answers: unknown[] = [];
    for (const { inputs, index, blocker } of callsOf(definition, slices)) {
      const context = createContext(run, nodeId, index);
      answers.push(
        blocker === undefined
          ? ((await ask(nestInputs(definition, inputs), context)) ?? null)
          : null,
      );
    }
    node.is_changed = answers as Json;
  } catch {
    node.is_changed = NaN;
  }
  return node.is_changed;
}

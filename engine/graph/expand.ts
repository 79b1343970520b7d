/** Nodes that replace a node while it runs, and how its outputs come back from them. */
import type { CallResult, NodeReturns } from './call-results.ts';
import type { NodeDefinition } from './definition.ts';
import { mergeCalls } from './call-results.ts';
import { isLink, linkSlot, linkSource } from './link.ts';
import { PythonError } from '../python/error.ts';
import { definitionOf, dropLost } from './run.ts';
import type { Run } from './run.ts';

/**
 * Adds the new nodes to the prompt and schedules output nodes among them and those whose outputs
 * the expanding node returned. The node itself stays pending until they are done.
 */
export async function expandNode(run: Run, nodeId: string, returns: NodeReturns): Promise<void> {
  const { prompt, list, host } = run;
  const added: string[] = [];
  const outputs: string[] = [];
  for (const { graph } of returns.calls) {
    for (const [id, { class_type, inputs = {}, override_display_id }] of Object.entries(
      graph ?? {},
    )) {
      prompt.addNode(id, { class_type, inputs, override_display_id }, nodeId);
      added.push(id);
      if (definitionOf(host.nodes, prompt, id).outputNode === true) outputs.push(id);
    }
  }
  run.signatures.forget(added);
  await run.signatures.add(added);
  host.caches.outputs.expand(nodeId, added);
  dropLost(run, added);

  run.pendingExpansions.set(nodeId, { calls: returns.calls, ui: returns.ui });
  for (const id of outputs) list.addNode(id);
  for (const source of returns.calls.flatMap(linkedSources)) {
    prompt.getNode(source); // throws NodeNotFoundError
    list.use(source, nodeId);
    list.addStrongLink(source, nodeId);
  }
}

const linkedSources = ({ values, graph }: CallResult): string[] =>
  graph === undefined ? [] : values.filter(isLink).map(linkSource);

/** The outputs of an expanded node whose new nodes have run. */
export function resolveExpansion(
  run: Run,
  definition: NodeDefinition,
  calls: readonly CallResult[],
): unknown[][] {
  const resolved = calls.map(({ values, graph }) =>
    graph === undefined ? values : values.flatMap((value) => resolveValue(run, value)),
  );
  return mergeCalls(definition, resolved);
}

function resolveValue(run: Run, value: unknown): readonly unknown[] {
  if (!isLink(value)) return [value];
  const outputs = run.store.get(linkSource(value))?.outputs ?? [];
  const list = outputs.at(linkSlot(value, outputs.length));
  if (list === undefined) throw new PythonError('IndexError', 'list index out of range');
  return list;
}

/** Nodes made on the spot, run with the least around them. */
import type { InputSpec, NodeContext, NodeDefinition } from '../../../engine/graph/definition.ts';
import { defineNode, socket } from '../../../engine/node.ts';
import { createHarness } from './harness.ts';
import type { RunOutcome } from './harness.ts';

/** What such a node does. */
export type Run = (inputs: Record<string, unknown>, context: NodeContext) => unknown;

/** A node with one output of any type, unless `more` says otherwise. */
export const node = (
  name: string,
  inputs: Record<string, InputSpec>,
  run: Run,
  more: Partial<NodeDefinition> = {},
): NodeDefinition =>
  defineNode({
    name,
    category: 't',
    module: 't',
    form: 'v1',
    inputs,
    outputs: [{ type: '*' }],
    ...more,
    run: run as NodeDefinition['run'],
  });

/** Shows what it is given. */
export const sink = node(
  'Sink',
  { value: socket('*') },
  ({ value }) => ({ ui: { value: [value] } }),
  {
    outputs: [],
    outputNode: true,
  },
);

/** Runs one node named N whose first output goes into a sink. */
export async function runOne(
  definition: NodeDefinition,
  inputs: Record<string, unknown> = {},
  options: Parameters<ReturnType<typeof createHarness>['run']>[1] = {},
  services?: unknown,
): Promise<RunOutcome> {
  const h = createHarness('', { nodes: [definition, sink], services });
  return h.run(
    {
      n: { class_type: definition.name, inputs },
      out: { class_type: 'Sink', inputs: { value: ['n', 0] } },
    } as never,
    options,
  );
}

/** What the sink was given. */
export const shownBy = (run: RunOutcome): unknown =>
  (run.outputs.out as { value: unknown[] } | undefined)?.value;

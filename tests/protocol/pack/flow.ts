/** Loops made of expansions, and blockers. */
import {
  ExecutionBlocker,
  boolean,
  defineNode,
  int,
  isLink,
  optional,
  socket,
} from '../../../engine/node.ts';
import type { DynamicPromptView, InputSpec, Link, NodeDefinition } from '../../../engine/node.ts';
import { withVariants } from './smart-type.ts';

const category = 'Testing/Flow';
const module = 'custom_nodes.testing-pack';
const SOCKETS = 5;

const numbers = (from: number): number[] =>
  Array.from({ length: SOCKETS - from }, (_, i) => i + from);

const valueInputs = (
  from: number,
  options?: Record<string, unknown>,
): Record<string, InputSpec<unknown, true>> =>
  Object.fromEntries(
    numbers(from).map((i) => [`initial_value${i}`, optional(socket('*', options))]),
  );

const values = (from: number, inputs: Readonly<Record<string, unknown>>): unknown[] =>
  numbers(from).map((i) => inputs[`initial_value${i}`] ?? null);

const valueOutputs = (from: number) => numbers(from).map((i) => ({ type: '*', name: `value${i}` }));

const whileOpen = defineNode({
  name: 'TestWhileLoopOpen',
  displayName: 'While Loop Open',
  category,
  module,
  form: 'v1',
  inputs: { condition: boolean({ default: true }), ...valueInputs(0) },
  outputs: [{ type: 'FLOW_CONTROL' }, ...valueOutputs(0)],
  run: (inputs) => ['stub', ...values(0, inputs)],
});

const whileClose = defineNode({
  name: 'TestWhileLoopClose',
  displayName: 'While Loop Close',
  category,
  module,
  form: 'v1',
  inputs: {
    flow_control: socket<Link>('FLOW_CONTROL', { rawLink: true }),
    condition: boolean({ forceInput: true }),
    ...valueInputs(0),
  },
  hidden: { dynprompt: 'DYNPROMPT', unique_id: 'UNIQUE_ID' },
  outputs: valueOutputs(0),
  run(inputs, context) {
    if (!inputs.condition) return values(0, inputs);
    const prompt = inputs.dynprompt as DynamicPromptView;
    const self = inputs.unique_id;
    const given: Readonly<Record<string, unknown>> = inputs;
    const [open] = inputs.flow_control;
    const body = nodesBetween(prompt, open, self);

    // The copy of this node gets a short name, or names would double with every round.
    const nameOf = (id: string): string => (id === self ? 'Recurse' : id);
    const graph = context.newGraph();
    for (const id of body) {
      const copy = graph.node(prompt.getNode(id).class_type, {}, nameOf(id));
      copy.setOverrideDisplayId(id);
    }
    for (const id of body) {
      const copy = graph.lookup(nameOf(id));
      for (const [name, value] of Object.entries(prompt.getNode(id).inputs)) {
        const inner = isLink(value) ? graph.lookup(nameOf(value[0])) : undefined;
        copy?.setInput(name, inner === undefined ? value : inner.out(Number((value as Link)[1])));
      }
    }
    for (const i of numbers(0)) {
      graph.lookup(nameOf(open))?.setInput(`initial_value${i}`, given[`initial_value${i}`]);
    }
    const again = graph.lookup('Recurse');
    return { result: numbers(0).map((i) => again?.out(i)), expand: graph.finalize() };
  },
});

/** The nodes on any path from `open` to `close`, both included. */
function nodesBetween(prompt: DynamicPromptView, open: string, close: string): Set<string> {
  const readers = new Map<string, Set<string>>();
  const seen = new Set([close]);
  const stack = [close];
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    for (const value of Object.values(prompt.getNode(id).inputs)) {
      if (!isLink(value)) continue;
      const from = value[0];
      readers.set(from, (readers.get(from) ?? new Set()).add(id));
      if (!seen.has(from)) {
        seen.add(from);
        stack.push(from);
      }
    }
  }
  const body = new Set([open, close]);
  const reached = [open];
  for (let id = reached.pop(); id !== undefined; id = reached.pop()) {
    for (const reader of readers.get(id) ?? []) {
      if (body.has(reader)) continue;
      body.add(reader);
      reached.push(reader);
    }
  }
  return body;
}

const forOpen = defineNode({
  name: 'TestForLoopOpen',
  displayName: 'For Loop Open',
  category,
  module,
  form: 'v1',
  inputs: {
    remaining: int({ default: 1, min: 0, max: 100000, step: 1 }),
    ...valueInputs(1),
  },
  // Only the copies that a closing node makes set this one.
  hidden: { initial_value0: ['*'] },
  outputs: [
    { type: 'FLOW_CONTROL', name: 'flow_control' },
    { type: 'INT', name: 'remaining' },
    ...valueOutputs(1),
  ],
  run(inputs, context) {
    const graph = context.newGraph();
    const remaining = inputs.initial_value0 ?? inputs.remaining;
    const given = Object.fromEntries(
      values(1, inputs).map((value, i) => [`initial_value${i + 1}`, value]),
    );
    graph.node('TestWhileLoopOpen', { condition: remaining, initial_value0: remaining, ...given });
    return { result: ['stub', remaining, ...values(1, inputs)], expand: graph.finalize() };
  },
});

const forClose = defineNode({
  name: 'TestForLoopClose',
  displayName: 'For Loop Close',
  category,
  module,
  form: 'v1',
  inputs: {
    flow_control: socket<Link>('FLOW_CONTROL', { rawLink: true }),
    ...valueInputs(1, { rawLink: true }),
  },
  outputs: valueOutputs(1),
  run(inputs, context) {
    const graph = context.newGraph();
    const [open] = inputs.flow_control;
    const left = graph.node('TestIntMathOperation', {
      operation: 'subtract',
      a: [open, 1],
      b: 1,
    });
    const goesOn = graph.node('TestToBoolNode', { value: left.out(0) });
    const close = graph.node('TestWhileLoopClose', {
      flow_control: inputs.flow_control,
      condition: goesOn.out(0),
      initial_value0: left.out(0),
      ...Object.fromEntries(values(1, inputs).map((value, i) => [`initial_value${i + 1}`, value])),
    });
    return { result: numbers(1).map((i) => close.out(i)), expand: graph.finalize() };
  },
});

const blocker = defineNode({
  name: 'TestExecutionBlocker',
  displayName: 'Execution Blocker',
  category,
  module,
  form: 'v1',
  inputs: {
    input: socket('*'),
    block: socket<boolean>('BOOLEAN'),
    verbose: boolean({ default: false }),
  },
  outputs: [{ type: '*', name: 'output' }],
  run: ({ input, block, verbose }) => [
    block ? new ExecutionBlocker(verbose ? 'Blocked Execution' : null) : input,
  ],
});

export const flowNodes: readonly NodeDefinition[] = [
  withVariants(whileOpen),
  withVariants(whileClose),
  withVariants(forOpen),
  withVariants(forClose),
  withVariants(blocker),
];

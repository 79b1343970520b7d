/** Deciding what runs: lazy inputs, blockers, IS_CHANGED, state, and nodes made of nodes. */
import {
  ExecutionBlocker,
  boolean,
  defineNode,
  image,
  int,
  optional,
  socket,
  string,
} from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';

const CATEGORY = 'example/flow';

/** Only the input that is chosen is ever computed. */
const choose = defineNode({
  name: 'ExampleChoose',
  displayName: 'Choose (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v1',
  inputs: {
    first: boolean({ default: true }),
    if_first: socket('*', { lazy: true }),
    otherwise: socket('*', { lazy: true }),
  },
  outputs: [{ type: '*' }],
  checkLazy: ({ first }) => [first === true ? 'if_first' : 'otherwise'],
  run: ({ first, if_first, otherwise }) => [first ? if_first : otherwise],
});

/** Stops what depends on it; with a message the user is told why. */
const gate = defineNode({
  name: 'ExampleGate',
  displayName: 'Gate (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v1',
  inputs: {
    value: socket('*'),
    open: boolean({ default: true }),
    message: optional(string({ default: '' })),
  },
  outputs: [{ type: '*' }],
  run: ({ value, open, message }) => [open ? value : new ExecutionBlocker(message || null)],
});

/** Runs again when its answer to isChanged differs (here: each minute), else comes from the cache. */
const clock = defineNode({
  name: 'ExampleClock',
  displayName: 'Clock (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v1',
  inputs: {},
  outputs: [{ type: 'STRING' }],
  isChanged: () => minute(),
  run: () => [minute()],
});

const minute = (): string => new Date().toISOString().slice(0, 16);

/** `context.state` lives while a node of this id and class is part of consecutive prompts. */
const counter = defineNode({
  name: 'ExampleCounter',
  displayName: 'Counter (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v1',
  inputs: { start: int({ default: 0 }) },
  outputs: [{ type: 'INT' }],
  isChanged: () => NaN, // always run
  run({ start }, { state }) {
    const count = Number(state.get('count') ?? start - 1) + 1;
    state.set('count', count);
    return [count];
  },
});

/** Replaces itself by other nodes; results may be links into them. */
const repeat = defineNode({
  name: 'ExampleRepeat',
  displayName: 'Negative n times (example)',
  category: CATEGORY,
  module: 'custom_nodes.example',
  form: 'v1',
  inputs: { image: image({ rawLink: true }), times: int({ default: 3, min: 1, max: 20 }) },
  outputs: [{ type: 'IMAGE' }],
  run({ image, times }, context) {
    const graph = context.newGraph();
    // rawLink: `image` is the link itself, so the new nodes read the picture where it comes from.
    let last: unknown = image;
    for (let i = 0; i < times; i++) {
      last = graph
        .node('ExampleAdjust', {
          image: last,
          mode: 'negative',
          brightness: 0,
          contrast: 1,
          levels: 256,
          clamp: true,
        })
        .out(0);
    }
    return { result: [last], expand: graph.finalize() };
  },
});

export const flowNodes: readonly NodeDefinition[] = [choose, gate, clock, counter, repeat];

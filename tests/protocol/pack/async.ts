/** Nodes that take time: beside others, one after the other, failing, reporting progress. */
import { setTimeout as delay } from 'node:timers/promises';
import { concat, rows } from '../../../engine/array/batch.ts';
import { map } from '../../../engine/array/elementwise.ts';
import {
  Float,
  boolean,
  defineNode,
  float,
  image,
  int,
  pythonStr,
  socket,
  string,
} from '../../../engine/node.ts';
import type { Context, NodeDefinition } from '../../../engine/node.ts';
import { plainImage } from './images.ts';

const category = '_for_testing/async';
const module = 'custom_nodes.testing-pack';
const TICK_MS = 10;

const any = () => socket('*', {});

const sleep = (seconds: number, { signal }: Context): Promise<void> =>
  delay(seconds * 1000, undefined, { signal });

/** Sleeps in ticks; `report` gets the seconds gone. */
async function sleepInTicks(
  seconds: number,
  context: Context,
  report: (elapsed: number) => void,
): Promise<void> {
  const start = performance.now();
  for (let elapsed = 0; elapsed < seconds;) {
    elapsed = (performance.now() - start) / 1000;
    report(elapsed);
    await sleep(TICK_MS / 1000, context);
  }
}

const asFloat = (value: unknown): string => pythonStr(new Float(Number(value)));

const sleepNode = defineNode({
  name: 'TestSleep',
  displayName: 'Test Sleep',
  category: '_for_testing',
  module,
  form: 'v1',
  inputs: {
    value: any(),
    seconds: float({
      default: 1,
      min: 0,
      max: 9999,
      step: 0.01,
      tooltip: 'The amount of seconds to sleep.',
    }),
  },
  hidden: { unique_id: 'UNIQUE_ID' },
  outputs: [{ type: '*' }],
  parallel: true,
  async run({ value, seconds }, context) {
    await sleepInTicks(seconds, context, (elapsed) => context.progress(elapsed, seconds));
    return [value];
  },
});

const seconds = () => float({ default: 0.5, min: 0, max: 10, step: 0.01 });

const parallelSleep = defineNode({
  name: 'TestParallelSleep',
  displayName: 'Test Parallel Sleep',
  category: '_for_testing',
  module,
  form: 'v1',
  inputs: {
    image1: image(),
    image2: image(),
    image3: image(),
    sleep1: seconds(),
    sleep2: seconds(),
    sleep3: seconds(),
  },
  hidden: { unique_id: 'UNIQUE_ID' },
  outputs: [{ type: 'IMAGE' }],
  outputNode: true,
  run(inputs, context) {
    const graph = context.newGraph();
    const slow = (value: unknown, time: number) =>
      graph.node('TestSleep', { value, seconds: time }).out(0);
    const blend = graph.node('TestVariadicAverage', {
      input1: slow(inputs.image1, inputs.sleep1),
      input2: slow(inputs.image2, inputs.sleep2),
      input3: slow(inputs.image3, inputs.sleep3),
    });
    return { result: [blend.out(0)], expand: graph.finalize() };
  },
});

const asyncValidation = defineNode({
  name: 'TestAsyncValidation',
  displayName: 'Test Async Validation',
  category,
  module,
  form: 'v1',
  inputs: { value: float({ default: 5 }), threshold: float({ default: 10 }) },
  outputs: [{ type: 'IMAGE' }],
  validate: {
    inputs: ['value', 'threshold'],
    async check({ value, threshold }) {
      await delay(50);
      if (Number(value) <= Number(threshold)) return true;
      return `Value ${asFloat(value)} exceeds threshold ${asFloat(threshold)}`;
    },
  },
  run: ({ value }) => [plainImage(value / 10)],
});

const asyncValidationError = defineNode({
  name: 'TestAsyncValidationError',
  displayName: 'Test Async Validation Error',
  category,
  module,
  form: 'v1',
  inputs: { value: float({ default: 5 }), max_value: float({ default: 10 }) },
  outputs: [{ type: 'IMAGE' }],
  validate: {
    inputs: ['value', 'max_value'],
    async check({ value, max_value }) {
      await delay(50);
      if (Number(value) <= Number(max_value)) return true;
      return `Async validation failed: ${asFloat(value)} > ${asFloat(max_value)}`;
    },
  },
  run: ({ value, max_value }) => [plainImage(value / max_value)],
});

const asyncError = defineNode({
  name: 'TestAsyncError',
  displayName: 'Test Async Error',
  category,
  module,
  form: 'v1',
  inputs: { value: any(), error_after: float({ default: 0.1, min: 0, max: 10 }) },
  outputs: [{ type: '*' }],
  parallel: true,
  async run({ error_after }, context) {
    await sleep(error_after, context);
    throw new Error('Intentional async execution error for testing');
  },
});

const asyncTimeout = defineNode({
  name: 'TestAsyncTimeout',
  displayName: 'Test Async Timeout',
  category,
  module,
  form: 'v1',
  inputs: {
    value: any(),
    timeout: float({ default: 1, min: 0.1, max: 10 }),
    operation_time: float({ default: 2, min: 0.1, max: 10 }),
  },
  outputs: [{ type: '*' }],
  parallel: true,
  async run({ value, timeout, operation_time }, context) {
    await sleep(Math.min(timeout, operation_time), context);
    if (operation_time > timeout) {
      throw new Error(`Operation timed out after ${asFloat(timeout)} seconds`);
    }
    return [value];
  },
});

const syncError = defineNode({
  name: 'TestSyncError',
  displayName: 'Test Sync Error',
  category,
  module,
  form: 'v1',
  inputs: { value: any() },
  outputs: [{ type: '*' }],
  run() {
    throw new Error('Intentional sync execution error for testing');
  },
});

const asyncLazyCheck = defineNode({
  name: 'TestAsyncLazyCheck',
  displayName: 'Test Async Lazy Check',
  category,
  module,
  form: 'v1',
  inputs: {
    input1: socket('*', { lazy: true }),
    input2: socket('*', { lazy: true }),
    condition: boolean({ default: true }),
  },
  outputs: [{ type: 'IMAGE' }],
  async checkLazy({ input1, input2, condition }) {
    await delay(50);
    if (condition === true) return input1 == null ? ['input1'] : [];
    return input2 == null ? ['input2'] : [];
  },
  run: () => [plainImage(1)],
});

const dynamicAsync = defineNode({
  name: 'TestDynamicAsyncGeneration',
  displayName: 'Test Dynamic Async Generation',
  category,
  module,
  form: 'v1',
  inputs: {
    image1: image(),
    image2: image(),
    num_async_nodes: int({ default: 3, min: 1, max: 10 }),
    sleep_duration: float({ default: 0.2, min: 0.1, max: 1 }),
  },
  outputs: [{ type: 'IMAGE' }],
  run({ image1, image2, num_async_nodes, sleep_duration }, context) {
    const graph = context.newGraph();
    const sleepers = Array.from({ length: num_async_nodes }, (_, i) =>
      graph.node('TestSleep', { value: i % 2 === 0 ? image1 : image2, seconds: sleep_duration }),
    );
    if (sleepers.length === 1) return { result: [sleepers[0].out(0)], expand: graph.finalize() };
    const inputs = sleepers.map((node, i) => [`input${i + 1}`, node.out(0)] as const);
    const mean = graph.node('TestVariadicAverage', Object.fromEntries(inputs));
    return { result: [mean.out(0)], expand: graph.finalize() };
  },
});

const busy = new Set<string>();

const asyncResource = defineNode({
  name: 'TestAsyncResourceUser',
  displayName: 'Test Async Resource User',
  category,
  module,
  form: 'v1',
  inputs: {
    value: any(),
    resource_id: string({ default: 'resource_0' }),
    duration: float({ default: 0.1, min: 0, max: 1 }),
  },
  outputs: [{ type: '*' }],
  parallel: true,
  async run({ value, resource_id, duration }, context) {
    if (busy.has(resource_id)) throw new Error(`Resource ${resource_id} is already in use!`);
    busy.add(resource_id);
    try {
      await sleep(duration, context);
      return [value];
    } finally {
      busy.delete(resource_id);
    }
  },
});

const asyncBatch = defineNode({
  name: 'TestAsyncBatchProcessing',
  displayName: 'Test Async Batch Processing',
  category,
  module,
  form: 'v1',
  inputs: {
    images: image(),
    process_time_per_item: float({ default: 0.1, min: 0.01, max: 1 }),
  },
  hidden: { unique_id: 'UNIQUE_ID' },
  outputs: [{ type: 'IMAGE' }],
  parallel: true,
  async run({ images, process_time_per_item }, context) {
    const [batch] = images.shape;
    const inverted = [];
    for (let i = 0; i < batch; i++) {
      await sleep(process_time_per_item, context);
      inverted.push(map(rows(images, i, i + 1), (value) => 1 - value));
      context.progress(i + 1, batch);
    }
    return [concat(inverted)];
  },
});

/** At most two at a time; the others queue. */
const slots = { free: 2, waiting: [] as (() => void)[] };

const asyncLimit = defineNode({
  name: 'TestAsyncConcurrentLimit',
  displayName: 'Test Async Concurrent Limit',
  category,
  module,
  form: 'v1',
  inputs: {
    value: any(),
    duration: float({ default: 0.5, min: 0.1, max: 2 }),
    node_id: int({ default: 0 }),
  },
  outputs: [{ type: '*' }],
  parallel: true,
  async run({ value, duration }, context) {
    if (slots.free === 0) await new Promise<void>((resolve) => slots.waiting.push(resolve));
    else slots.free--;
    try {
      await sleep(duration, context);
      return [value];
    } finally {
      const next = slots.waiting.shift();
      if (next === undefined) slots.free++;
      else next();
    }
  },
});

const progressUpdate = (name: string, displayName: string, parallel: boolean): NodeDefinition =>
  defineNode({
    name,
    displayName,
    category,
    module,
    form: 'v1',
    inputs: { value: any(), sleep_seconds: float({ default: 1 }) },
    outputs: [{ type: '*' }],
    parallel,
    async run({ value, sleep_seconds }, context) {
      await sleepInTicks(sleep_seconds, context, (elapsed) =>
        context.setProgress(elapsed / sleep_seconds, 1),
      );
      return [value];
    },
  });

export const asyncNodes: readonly NodeDefinition[] = [
  sleepNode,
  parallelSleep,
  asyncValidation,
  asyncValidationError,
  asyncError,
  asyncTimeout,
  syncError,
  asyncLazyCheck,
  dynamicAsync,
  asyncResource,
  asyncBatch,
  asyncLimit,
  progressUpdate('TestAsyncProgressUpdate', 'Async Progress Update Test Node', true),
  progressUpdate('TestSyncProgressUpdate', 'Sync Progress Update Test Node', false),
];

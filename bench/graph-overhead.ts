/**
 * What the executor itself costs: trivial nodes in chains and fans, cached prompts, validation.
 * Targets: 0.3 ms per node at most and linear growth; a cached prompt of 500 nodes within 100 ms;
 * validation of 100 nodes within 5 ms.
 *
 *     node --import ./bin/typescript.js bench/graph-overhead.ts
 */
import { createCaches } from '../engine/graph/caches.ts';
import type { NodeDefinition, Prompt } from '../engine/graph/definition.ts';
import { executePrompt } from '../engine/graph/execute.ts';
import { validatePrompt } from '../engine/graph/validate.ts';
import { defineNode, int, socket } from '../engine/node.ts';

const base = { category: 'bench', module: 'bench', form: 'v1' } as const;

const nodes = new Map<string, NodeDefinition>(
  [
    defineNode({
      ...base,
      name: 'Start',
      inputs: { value: int({ default: 0, min: 0, max: 1e9 }) },
      outputs: [{ type: 'INT' }],
      run: ({ value }) => [value],
    }),
    defineNode({
      ...base,
      name: 'Add',
      inputs: { a: socket<number>('INT'), b: int({ default: 1, min: -100, max: 100 }) },
      outputs: [{ type: 'INT' }],
      run: ({ a, b }) => [a + b],
    }),
    defineNode({
      ...base,
      name: 'End',
      inputs: { value: socket('INT') },
      outputs: [],
      outputNode: true,
      run: ({ value }) => ({ ui: { text: [value] } }),
    }),
  ].map((node) => [node.name, node]),
);
const source = { modelFiles: () => [], inputFiles: () => [] };

/** A chain of `length` nodes that ends in one output. */
function chain(length: number, start: number): Prompt {
  const prompt: Prompt = { n0: { class_type: 'Start', inputs: { value: start } } };
  for (let i = 1; i < length - 1; i++) {
    prompt[`n${i}`] = { class_type: 'Add', inputs: { a: [`n${i - 1}`, 0], b: 1 } };
  }
  prompt.end = { class_type: 'End', inputs: { value: [`n${length - 2}`, 0] } };
  return prompt;
}

/** `width` outputs that all read one node. */
function fan(width: number, start: number): Prompt {
  const prompt: Prompt = { s: { class_type: 'Start', inputs: { value: start } } };
  for (let i = 0; i < width / 2; i++) {
    prompt[`a${i}`] = { class_type: 'Add', inputs: { a: ['s', 0], b: i % 100 } };
    prompt[`e${i}`] = { class_type: 'End', inputs: { value: [`a${i}`, 0] } };
  }
  return prompt;
}

const caches = createCaches({ kind: 'ram' }, { sizeOf: () => 8 });

async function run(prompt: Prompt): Promise<{ ms: number; bytes: number }> {
  const validation = await validatePrompt(prompt, { nodes, source });
  if (!validation.ok) throw new Error(validation.error.message);
  let bytes = 0;
  const begin = performance.now();
  await executePrompt(
    { promptId: 'bench', prompt, outputs: validation.outputs, extraData: {} },
    {
      nodes,
      services: null,
      caches,
      signal: new AbortController().signal,
      now: () => Date.now(),
      emit: (message) => {
        if (message.type === 'event') bytes += message.data.length;
      },
    },
  );
  return { ms: performance.now() - begin, bytes };
}

async function validate(prompt: Prompt): Promise<number> {
  const begin = performance.now();
  await validatePrompt(prompt, { nodes, source });
  return performance.now() - begin;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];
const line = (name: string, ms: number, count: number, extra = ''): void =>
  console.log(
    `${name.padEnd(28)} ${ms.toFixed(2).padStart(9)} ms ${((ms * 1000) / count).toFixed(1).padStart(7)} µs/node ${extra}`,
  );

let start = 0;
for (let i = 0; i < 20; i++) await run(chain(200, start++));

for (const [name, build] of [
  ['chain', chain],
  ['fan', fan],
] as const) {
  for (const count of [10, 100, 500, 2000, 10000]) {
    const runs = [];
    for (let i = 0; i < (count > 2000 ? 3 : 9); i++) runs.push(await run(build(count, start++)));
    const kib = (runs[0].bytes / 1024).toFixed(0);
    line(`${name} of ${count}`, median(runs.map((r) => r.ms)), count, `${kib} KiB of messages`);
  }
}
const cached = [];
for (let i = 0; i < 9; i++) cached.push((await run(chain(500, start))).ms);
line('cached chain of 500', median(cached.slice(1)), 500);
for (const count of [100, 10000]) {
  const times = [];
  for (let i = 0; i < 9; i++) times.push(await validate(chain(count, start++)));
  line(`validation of ${count}`, median(times), count);
}

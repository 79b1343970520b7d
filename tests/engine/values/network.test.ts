import { expect, test } from 'vitest';
import { nd } from '../../../engine/array/nd.ts';
import type { NetworkPatch } from '../../../engine/patch/patch.ts';
import type { Runtime, SessionInput } from '../../../engine/runtime/runtime.ts';
import { add, mul } from '../../../engine/tensor/nn.ts';
import { type Graph, type Program, trace } from '../../../engine/tensor/trace.ts';
import { openNetwork } from '../../../engine/values/network.ts';
import { memorySource } from '../../../engine/weights/source.ts';

const source = memorySource('test', 'weights', [
  ['scale', { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) }],
]);

const build = (g: Graph) => ({
  out: mul(g.input('x', 'f32', ['batch', 1]), g.weights.param('scale')),
});

/** A runtime that only remembers what it was asked. */
function recorder() {
  const programs = new Map<string, Program>();
  const runs: { inputs: Readonly<Record<string, SessionInput>>; signal?: AbortSignal }[] = [];
  const runtime = {
    session: async (key: string, make: () => Program) => {
      if (!programs.has(key)) programs.set(key, make());
      return {
        run: async (inputs: Readonly<Record<string, SessionInput>>, options = {}) => {
          runs.push({ inputs, ...options });
          return { out: inputs.x };
        },
      };
    },
  } as unknown as Runtime;
  return { runtime, programs, runs };
}

const x = nd(new Float32Array(2), [2, 1]);

/** Adds an input to the parameter; its value is the number of rows of the call. */
const shifted = (identity: string): NetworkPatch => ({
  identity,
  keys: new Set(['scale']),
  change: (_, value) => add(value, shift),
  feeds: ({ rows }) => ({ shift: nd(Float32Array.of(rows), [1]) }),
});
const shift = trace('shift', source, (g) => ({ shift: g.input('shift', 'f32', [1]) })).outputs
  .shift;

test('a session is shared by equal networks, and by no others', async () => {
  const { runtime, programs } = recorder();
  const plain = { source, patches: [] };
  const run = async (weighted: typeof plain, settings?: Record<string, number>, name = 'net') =>
    openNetwork({ runtime }, weighted, { name, settings, build })({ x }, { rows: 2 });
  await run(plain);
  await run({ ...plain });
  expect(programs.size).toBe(1);
  await run(plain, undefined, 'other');
  await run(plain, { layer: 1 });
  await run(plain, { layer: 2 });
  await run({ source: { ...source, identity: 'changed file' }, patches: [] });
  await run({ source, patches: [shifted('shift')] as never[] });
  expect(programs.size).toBe(6);
});

test('patches see every call and feed it, and the signal goes along', async () => {
  const { runtime, programs, runs } = recorder();
  const { signal } = new AbortController();
  const patched = { source, patches: [shifted('shift')] };
  const network = openNetwork({ runtime, signal }, patched, { name: 'net', build });
  await network({ x }, { rows: 2 });
  await network({ x }, { rows: 7 });
  const [program] = programs.values();
  expect(program.inputs.map(({ attrs }) => attrs.name)).toEqual(['x', 'shift']);
  expect(runs.map(({ inputs }) => inputs.shift)).toEqual([
    nd(Float32Array.of(2), [1]),
    nd(Float32Array.of(7), [1]),
  ]);
  expect(runs.every((run) => run.signal === signal)).toBe(true);
});

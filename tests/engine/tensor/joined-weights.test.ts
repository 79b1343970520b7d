/** Matrices that lie in several parts count as one for networks, patches and saved files. */
import { expect, test } from 'vitest';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { linear } from '../../../engine/tensor/layers.ts';
import { input, linear as apply, mul, split } from '../../../engine/tensor/nn.ts';
import type { Patch } from '../../../engine/tensor/patch.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { networkTensors } from '../../../engine/values/save-model.ts';
import { readFloats } from '../../../engine/weights/read.ts';
import { type WeightSource, joinedRows, memoryOf, rowsOf } from '../../../engine/weights/source.ts';
import { randomSource } from '../../support/random-weights.ts';

const whole = randomSource({ 'qkv.weight': [6, 4], 'qkv.bias': [6] });
const cut: WeightSource = {
  ...whole,
  identity: 'cut',
  tensors: new Map(
    [...whole.tensors].map(([key, entry]) => [
      key,
      joinedRows([rowsOf(entry, 0, 2), rowsOf(entry, 2, 3), rowsOf(entry, 3, 6)]),
    ]),
  ),
};
const key = 'qkv.weight';
const keys = new Set([key]);
const half: Patch = { identity: 'half', keys, change: (_, value) => mul(value, 0.5) };
const low: Patch = {
  identity: 'low',
  keys,
  change: (_, value) => value,
  beside: ({ x }) => apply(x, input('more', 'f32', [6, 4])),
};
const more = { shape: [6, 4], data: Array.from({ length: 24 }, (_, i) => Math.sin(i)) };
const x = { shape: [2, 4], data: [0.1, -0.4, 0.3, 1.2, -0.9, 0.5, 0.7, -0.2] };

async function run(source: WeightSource, patches: readonly Patch[]) {
  const program = trace('t', openWeights(source, patches), (g) => ({
    y: linear(g.weights.at('qkv'), g.input('x', 'f32', ['batch', 4])),
  }));
  const layers = program.nodes.filter(({ op }) => op.name === 'linear').length;
  return { layers, y: [...(await interpret(program, { x, more })).y.data] };
}

test.each([
  ['as it is', [], 3],
  ['with something beside it', [low], 4],
  ['with a changed weight', [half], 1],
])('a layer gives the same: %s', async (_, patches, layers) => {
  const [one, three] = [await run(whole, patches), await run(cut, patches)];
  three.y.forEach((value, i) => expect(value).toBeCloseTo(one.y[i], 6));
  expect(three.layers).toBe(layers); // each part by itself where nothing changes the weight
});

test('it is saved as one', async () => {
  const [one, three] = [whole, cut].map((source) =>
    networkTensors({ source, patches: [] }).get(key)!,
  );
  expect([three.dtype, three.shape]).toEqual([one.dtype, one.shape]);
  const bytes = three.bytes as () => Promise<Uint8Array>;
  expect(Buffer.from(await bytes())).toEqual(Buffer.from(memoryOf(whole.tensors.get(key)!)));
  expect(await readFloats(cut.tensors.get(key)!)).toEqual(
    await readFloats(whole.tensors.get(key)!),
  );
});

test('what is cut out of its features again is never joined', () => {
  const ofParts = (source: WeightSource) =>
    trace('t', openWeights(source), (g) => {
      const all = linear(g.weights.at('qkv'), g.input('x', 'f32', ['batch', 4]));
      const [q, k, v] = split(all, [2, 1, 3], -1);
      return { q: mul(q, 2), k: mul(k, 2), v: mul(v, 2) };
    }).nodes.map(({ op }) => op.name);
  expect(ofParts(whole)).toContain('slice');
  expect(ofParts(cut)).not.toContain('slice');
  expect(ofParts(cut)).not.toContain('concat');
});

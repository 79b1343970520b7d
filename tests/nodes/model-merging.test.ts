import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { NodeDefinition } from '../../engine/graph/definition.ts';
import { mergeNetworks, ratioOf } from '../../engine/values/merge.ts';
import type { Weighted } from '../../engine/values/network.ts';
import { roundedTo } from '../../engine/values/rounded.ts';
import { wholeWeight } from '../../engine/values/whole-weight.ts';
import { storedSource } from '../../engine/runtime/stored-source.ts';
import { add, mul } from '../../engine/tensor/nn.ts';
import { readFloats } from '../../engine/weights/read.ts';
import { memorySource } from '../../engine/weights/source.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { floatTensor, writeSafetensors } from '../../engine/weights/write.ts';
import { modelMergingNodes } from '../../nodes/model-merging.ts';
import { assertLikeReference } from '../support/object-info.ts';

test.each(modelMergingNodes.map((node): [string, NodeDefinition] => [node.name, node]))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

let made = 0;
const network = (weights: Record<string, number[]>): Weighted => ({
  source: memorySource(
    'tiny',
    `tiny-${made++}`,
    Object.entries(weights).map(([key, values]) => {
      const { shape, bytes } = floatTensor(Float32Array.from(values), [values.length], 'F16');
      return [key, { dtype: 'F16' as const, shape, bytes }] as const;
    }),
  ),
  patches: [],
});

const doubled = (network: Weighted, key: string): Weighted => ({
  ...network,
  patches: [
    ...network.patches,
    { identity: 'double', keys: new Set([key]), change: (_, value) => mul(value, 2) },
  ],
});
const plusOne = (network: Weighted, key: string): Weighted => ({
  ...network,
  patches: [
    ...network.patches,
    {
      identity: 'plus one',
      keys: new Set([key]),
      change: (_, value) => add(value, 1),
      at: () => undefined,
    },
  ],
});

const read = async (network: Weighted, key: string): Promise<number[]> => [
  ...(await wholeWeight(network, key)),
];
const quiet = (): void => {};

test('weights are mixed with the patches of both in them, in their order', async () => {
  const first = plusOne(doubled(network({ a: [1, 2], b: [5], own: [7] }), 'a'), 'a'); // 2x + 1
  const second = plusOne(network({ a: [8, 16], b: [9], other: [1] }), 'a');
  const merged = mergeNetworks(first, second, () => ({ first: 0.25, second: 0.75 }), quiet);
  expect(await read(merged, 'a')).toEqual([0.25 * 3 + 0.75 * 9, 0.25 * 5 + 0.75 * 17]);
  expect(await read(merged, 'b')).toEqual([8]);
  expect([...merged.source.tensors.keys()]).toEqual(['a', 'b', 'own']);
  // what acts at sites stays, what was on weights is in them
  expect(merged.patches).toHaveLength(1);
  expect(merged.patches[0].keys).toBeUndefined();
  // a patch put on afterwards acts on the sum, and sums can be mixed again
  const later = doubled(merged, 'a');
  expect(await read(later, 'a')).toEqual([15, 28]);
  const again = mergeNetworks(later, first, () => ({ first: 1, second: -1 }), quiet);
  expect(await read(again, 'a')).toEqual([12, 23]);
});

test('weights of other shapes stay alone, and somebody hears of it', async () => {
  const told: string[] = [];
  const [first, second] = [network({ a: [2, 4] }), network({ a: [1, 1, 1] })];
  const merged = mergeNetworks(
    first,
    second,
    () => ({ first: 0.5, second: 0.5 }),
    (text) => told.push(text),
  );
  expect(await read(merged, 'a')).toEqual([1, 2]); // as ComfyUI has it
  expect(told).toEqual(['1 weights of the second model have other shapes: a']);
});

test('sessions find sums in a file, which is written once', async () => {
  const first = network({ a: [1, 2], only: [3] });
  const merged = mergeNetworks(
    first,
    network({ a: [3, 6] }),
    () => ({ first: 0.5, second: 0.5 }),
    quiet,
  );
  const stored = await storedSource(merged.source);
  expect(stored.tensors.get('a')!.bytes.kind).toBe('file');
  expect(stored.tensors.get('only')!.bytes.kind).toBe('memory');
  expect([...(await readFloats(stored.tensors.get('a')!))]).toEqual([2, 4]);
  expect(await storedSource(merged.source)).toBe(stored);
  expect(await storedSource(first.source)).toBe(first.source);
  const stopped = mergeNetworks(first, first, () => ({ first: 1, second: 1 }), quiet);
  await expect(storedSource(stopped.source, { signal: AbortSignal.abort() })).rejects.toThrow();
  expect((await storedSource(stopped.source)).tensors.get('a')!.bytes.kind).toBe('file');
});

test('a file that is loaded again is not rounded again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'noodle-round-'));
  try {
    const path = join(folder, 'a.safetensors');
    const tensor = floatTensor(Float32Array.of(1.03, -2.2), [2], 'F16');
    await writeSafetensors(path, new Map([['a', tensor]]));
    const told: number[] = [];
    const load = async (to: 'F8_E4M3' | 'F8_E5M2') => {
      const { source } = roundedTo({ source: await openSafetensors(path), patches: [] }, to);
      return storedSource(source, { progress: (done) => void told.push(done) });
    };
    const [first, second] = await Promise.all([load('F8_E4M3'), load('F8_E4M3')]);
    expect(second).toBe(first);
    expect(await load('F8_E4M3')).toBe(first);
    expect(told).toEqual([2]);
    expect([...(await readFloats(first.tensors.get('a')!))]).toEqual([1, -2.25]);
    const other = await load('F8_E5M2');
    expect([...(await readFloats(other.tensors.get('a')!))]).toEqual([1, -2]);
    await writeSafetensors(path, new Map([['a', floatTensor(Float32Array.of(4), [1], 'F16')]]));
    const changed = await load('F8_E4M3');
    expect([...(await readFloats(changed.tensors.get('a')!))]).toEqual([4]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test(
  'large sums are computed in threads, with progress, until somebody stops them',
  { timeout: 120_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'noodle-merge-'));
    try {
      const size = 2 ** 22;
      const file = async (name: string, factor: number): Promise<Weighted> => {
        const values = Float32Array.from({ length: size }, (_, i) => ((i % 7) - 3) * factor);
        const tensor = floatTensor(values, [2 ** 11, 2 ** 11], 'F16');
        const keys = ['a', 'b', 'c', 'd'];
        await writeSafetensors(join(folder, name), new Map(keys.map((key) => [key, tensor])));
        return { source: await openSafetensors(join(folder, name)), patches: [] };
      };
      const [first, second] = [await file('1.safetensors', 1), await file('2.safetensors', 2)];
      const merge = () =>
        mergeNetworks(first, doubled(second, 'd'), () => ({ first: 0.5, second: 0.25 }), quiet);
      const told: number[] = [];
      const progress = (done: number, total: number): void => void told.push(done / total);
      const stored = await storedSource(merge().source, { progress });
      for (const [key, factor] of [
        ['a', 1],
        ['d', 1.5],
      ] as const) {
        const values = await readFloats(stored.tensors.get(key)!);
        expect([...values.subarray(0, 8)]).toEqual(
          [-3, -2, -1, 0, 1, 2, 3, -3].map((v) => v * factor),
        );
      }
      expect(told).toEqual([0.25, 0.5, 0.75, 1]);

      const stop = new AbortController();
      const run = { signal: stop.signal, progress: () => stop.abort() };
      await expect(storedSource(merge().source, run)).rejects.toThrow('interrupted');
      const failing = () => {
        throw new Error('told');
      };
      await expect(storedSource(merge().source, { progress: failing })).rejects.toThrow('told');
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

test('the longest name decides the ratio, and the first stands for what has none', () => {
  const ratios = new Map([
    ['time_embed.', 0.1],
    ['input_blocks.1', 0.2],
    ['input_blocks.11', 0.3],
    ['out', 0],
  ]);
  const ratio = (key: string): number => ratioOf(key, ratios);
  expect(ratio('input_blocks.1.0.weight')).toBe(0.2);
  expect(ratio('input_blocks.11.0.weight')).toBe(0.3);
  expect(ratio('output_blocks.0.weight')).toBe(0);
  expect(ratio('middle_block.0.weight')).toBe(0.1);
});

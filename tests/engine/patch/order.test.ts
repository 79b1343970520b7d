/**
 * Adapters and multiplied layers in any order, against ComfyUI 0.3.64: its `load_lora` and `calculate_weight`
 * on a layer with the same deterministic numbers. The n-th patch has strength 0.5 + n/4, the factor is 1.75.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type NDArray, nd, sizeOf } from '../../../engine/array/nd.ts';
import { fitAdapters, loraPatch } from '../../../engine/patch/lora/lora.ts';
import { readAdapters } from '../../../engine/patch/lora/read.ts';
import { multiplyLayers } from '../../../engine/patch/multiply-layers.ts';
import { type NetworkPatch, feedsOf } from '../../../engine/patch/patch.ts';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { linear } from '../../../engine/tensor/layers.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { wholeWeight } from '../../../engine/values/whole-weight.ts';
import { memorySource } from '../../../engine/weights/source.ts';
import { floatTensor } from '../../../engine/weights/write.ts';
import { randomFloats } from '../../support/random-weights.ts';

type Shapes = Readonly<Record<string, readonly number[]>>;
const fixture = new URL('../../fixtures/patch-order.json', import.meta.url);
const { adapters, outputs } = JSON.parse(readFileSync(fixture, 'utf8')) as {
  readonly adapters: Readonly<Record<string, Shapes>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
};

const random = (shape: readonly number[], seed: number): NDArray =>
  nd(randomFloats(sizeOf(shape), seed), shape);
const tensor = (shape: readonly number[], seed: number) =>
  floatTensor(random(shape, seed).data, shape);

const source = memorySource('layer', 'layer', [
  ['layer.weight', tensor([6, 4], 1)],
  ['layer.bias', tensor([6], 2)],
]);
const x = random([3, 4], 3);

async function patchOf(what: string, place: number): Promise<NetworkPatch> {
  if (what === 'multiply') {
    return multiplyLayers(`${place}`, source.tensors.keys(), () => 'factor', { factor: 1.75 });
  }
  const kind = Object.keys(adapters).indexOf(what);
  const parts = Object.entries(adapters[what]).map(
    ([part, shape], i) => [`layer.${part}`, tensor(shape, 100 * (kind + 1) + i)] as const,
  );
  if (what === 'oft') parts.push(['layer.alpha', floatTensor(Float32Array.of(0), [])]);
  const { entries } = await readAdapters(memorySource(what, what, parts));
  const fitted = fitAdapters(entries, new Map([['layer', 'layer.weight']]), source);
  return loraPatch(`${place}`, fitted, 0.5 + place / 4);
}

describe.each(Object.entries(outputs))('%s', async (name, theirs) => {
  const patches = await Promise.all(name.split(', ').map(patchOf));
  const close = (ours: ArrayLike<number>): void => {
    const worst = theirs.reduce((most, v, i) => Math.max(most, Math.abs(v - ours[i])), 0);
    expect(ours).toHaveLength(theirs.length);
    expect(worst).toBeLessThan(5e-6);
  };

  test('on the layer', async () => {
    const program = trace('layer', openWeights(source, patches), (g) => ({
      y: linear(g.weights.at('layer'), g.input('x', 'f32', ['batch', 4])),
    }));
    const feeds = await feedsOf(patches, { rows: 3 });
    const { y } = await interpret(program, { ...feeds, x });
    close(y.data);
  });

  test('in the weights that are kept', async () => {
    const network = { source, patches };
    const weight = await wholeWeight(network, 'layer.weight');
    const bias = await wholeWeight(network, 'layer.bias');
    const rows = [0, 1, 2].flatMap((r) =>
      Array.from(bias, (b, o) =>
        [0, 1, 2, 3].reduce((sum, i) => sum + weight[4 * o + i] * x.data[4 * r + i], b),
      ),
    );
    close(rows);
  });
});

/**
 * Upscalers of every architecture against the reference. Each file of tests/fixtures/upscale holds a
 * tiny network with random weights (under `params.`, as training scripts nest them), a picture `in`,
 * and `out`, which the reference computed from it; its metadata says what the reference detected.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { channelsLast, channelsFirst } from '../../../engine/array/layout.ts';
import { nd } from '../../../engine/array/nd.ts';
import { upscaleKinds } from '../../../engine/arch/upscale/kinds.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { openUpscaleModel } from '../../../engine/values/upscale-model.ts';
import { upscale } from '../../../engine/values/upscale.ts';
import { readTensor } from '../../../engine/weights/read.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { gunzipped, removeUnpacked } from '../../golden/open-case.ts';

const dir = join(import.meta.dirname, '../../fixtures/upscale');
const names = readdirSync(dir).map((file) => file.replace('.safetensors.gz', ''));
const runtime = createRuntime({ threads: 2 });
const kindsSeen = new Set<string>();
afterAll(removeUnpacked);

describe('upscalers give the pictures of the reference', () => {
  test.each(names)('%s', async (name) => {
    const file = await openSafetensors(await gunzipped(join(dir, `${name}.safetensors.gz`)));
    const model = await openUpscaleModel(file);
    const { kind, scale, inputChannels, outputChannels } = model;
    kindsSeen.add(kind.name);
    const facts = JSON.parse(file.metadata['facts'] ?? '') as unknown;
    expect({ kind: kind.name, scale, inputChannels, outputChannels }).toEqual(facts);
    // places and orders are too fine for half precision
    const findsPlaces = [...file.tensors.keys()].some((key) => key.endsWith('init_pos'));
    expect(model.fullPrecision ?? false).toBe(findsPlaces || kind.name === 'ATD');

    const [input, output] = await Promise.all([readTensor(file, 'in'), readTensor(file, 'out')]);
    const pictures = channelsLast(nd(input.data, input.shape));
    const got = channelsFirst(await upscale(model, pictures, { runtime }));
    const planes = (got.data.length / 3) * outputChannels; // a single channel comes back three times
    expect(got.shape.slice(2)).toEqual(output.shape.slice(2));
    expect(largestError(got.data.subarray(0, planes), output.data)).toBeLessThan(2e-5);
  });

  test.each(upscaleKinds.map(({ name }) => name))('%s has a fixture or a golden case', (name) => {
    expect([...kindsSeen, 'Compact', 'SPAN']).toContain(name);
  });
});

function largestError(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

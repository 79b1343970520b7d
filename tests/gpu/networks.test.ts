/**
 * A tiny network of every architecture on an adapter. Oracle: the CPU provider in fp32. Beside the
 * numbers: which nodes the WebGPU provider did not take.
 */
import { afterAll, expect, it } from 'vitest';
import type { NDArray } from '../../engine/array/nd.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { removeUnpacked } from '../golden/open-case.ts';
import { onAdapter } from './adapter.ts';
import { tinyNetworks } from './networks.ts';
import { isMisplaced, profiled } from './placements.ts';

/** Root of the mean square of the difference, as a share of that of the answer. */
const tolerances = { fp32: 1e-5, fp16: 1e-2 } as const;

/** The 16-channel autoencoder's random weights make latents that nearly cancel out. */
const allowed: Readonly<Record<string, number>> = { 'autoencoder of 16 channels': 3e-2 };

onAdapter((precision, provider) => {
  it.each(Object.keys(tinyNetworks))('%s', async (name) => {
    const onDevice = profiled(provider);
    const runtime = createRuntime({ provider: onDevice.provider });
    const got = await tinyNetworks[name](runtime).finally(() => runtime.unloadAll());
    const expected = await onCpu(name);
    const tolerance = Math.max(
      tolerances[precision],
      precision === 'fp16' ? (allowed[name] ?? 0) : 0,
    );
    expect(Object.keys(got)).toEqual(Object.keys(expected));
    for (const [output, { data }] of Object.entries(expected)) {
      expect(relativeError(got[output].data, data), output).toBeLessThan(tolerance);
    }
    expect(onDevice.placed().filter(isMisplaced)).toEqual([]);
  });
});

const answers = new Map<string, Promise<Readonly<Record<string, NDArray>>>>();
afterAll(removeUnpacked);

/** The CPU's answer, asked for once. */
function onCpu(name: string): Promise<Readonly<Record<string, NDArray>>> {
  const runtime = createRuntime({ threads: 2 });
  const answer =
    answers.get(name) ?? tinyNetworks[name](runtime).finally(() => runtime.unloadAll());
  answers.set(name, answer);
  return answer;
}

function relativeError(got: Float32Array, expected: Float32Array): number {
  const power = (values: Float32Array): number => values.reduce((sum, v) => sum + v ** 2, 0);
  return Math.sqrt(power(got.map((v, i) => v - expected[i])) / power(expected));
}

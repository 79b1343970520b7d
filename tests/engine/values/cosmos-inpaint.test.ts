/** Cosmos Predict2 where a mask keeps parts of a picture. Oracle: ComfyUI 0.3.64 on a small network. */
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { NDArray } from '../../../engine/array/nd.ts';
import { families } from '../../../engine/arch/families/index.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { cfgGuider } from '../../../engine/sampling/guidance/cfg.ts';
import { sampleCustom } from '../../../engine/sampling/driver.ts';
import { samplerByName } from '../../../engine/sampling/samplers/table.ts';
import { ksamplerSigmas } from '../../../engine/sampling/schedules/schedules.ts';
import { loadDiffusionModel } from '../../../engine/values/load-checkpoint.ts';
import { diffusion } from '../../../engine/values/model.ts';
import { openSource } from '../../../engine/weights/open.ts';
import { readFloats } from '../../../engine/weights/read.ts';
import { compare } from '../../golden/area.ts';
import { ownGoldenDir } from '../../support/golden.ts';

const runtime = createRuntime({ threads: 1 });
afterAll(() => runtime.unloadAll());

const fixture = await openSource(
  join(import.meta.dirname, '../../fixtures/cosmos-inpaint.safetensors'),
);
async function array(name: string): Promise<NDArray> {
  const entry = fixture.tensors.get(name)!;
  return { data: await readFloats(entry), shape: entry.shape };
}

test.each([
  ['out.masked', 1],
  ['out.part', 0.6],
])('%s: what is kept looks clean to the network, at a time of its own', async (name, denoise) => {
  const path = join(ownGoldenDir('dit-more'), 'model_cosmos_predict2.safetensors');
  const model = diffusion(await loadDiffusionModel(path, families), { runtime });
  const { samples } = await sampleCustom({
    model,
    latent: await array('lat'),
    noise: await array('noise'),
    noiseMask: await array('mask'),
    seed: 1,
    guider: cfgGuider({
      positive: [{ cross: await array('pos') }],
      negative: [{ cross: await array('neg') }],
      cfg: 3,
    }),
    sampler: samplerByName('euler'),
    sigmas: ksamplerSigmas(model.modelSampling, 'simple', { steps: 4, denoise }),
  });
  const { pass, maxError } = compare(name, samples, await array(name), { atol: 1e-4, rtol: 1e-3 });
  expect(pass, `max error ${maxError}`).toBe(true);
});

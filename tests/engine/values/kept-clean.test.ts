import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nd } from '../../../engine/array/nd.ts';
import { families } from '../../../engine/arch/families/index.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { loadDiffusionModel } from '../../../engine/values/load-checkpoint.ts';
import { diffusion } from '../../../engine/values/model.ts';
import { ownGoldenDir } from '../../support/golden.ts';
import { randomFloats } from '../../support/random-weights.ts';

test('what a mask keeps is fed to Cosmos Predict2 without noise, at every level', async () => {
  const path = join(ownGoldenDir('dit-more'), 'model_cosmos_predict2.safetensors');
  const model = diffusion(await loadDiffusionModel(path, families), {
    runtime: createRuntime({ threads: 1 }),
  });
  const latent = nd(randomFloats(16 * 6, 1), [1, 16, 1, 2, 3]);
  const noise = nd(randomFloats(16 * 6, 2), [1, 16, 1, 2, 3]);
  for (const sigma of [0.1, 1, 60]) {
    const shown = model.inpaintLatent!(sigma, noise, latent);
    const fed = model.modelSampling.calculateInput(sigma, shown);
    fed.data.forEach((value, i) => expect(value).toBeCloseTo(latent.data[i], 5));
  }
});

/**
 * Committed cases of diffusion transformers on an adapter. Oracle: ComfyUI's numbers, at the tolerances of
 * `npm run golden`. Beside them: which nodes the WebGPU provider did not take.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { useDevice } from '../golden/device.ts';
import { transformerArea } from '../golden/dit/run.ts';
import { removeUnpacked } from '../golden/open-case.ts';
import { ownGoldenDir } from '../support/golden.ts';
import { onAdapter } from './adapter.ts';
import { isMisplaced, profiled } from './placements.ts';

const cases = [
  'dit/flux_dev_guidance',
  'dit/flux_kontext_offset',
  'dit-2026/flux2_ref_offset',
  'dit-more/cosmos_predict2_masked',
  'dit-more/hunyuan_image_distilled',
  'dit-more/pixart_alpha_diffusers',
  'quant/flux_tiny_q8_forward',
];

afterAll(removeUnpacked);

onAdapter((precision, provider) => {
  beforeAll(() => useDevice('webgpu', precision));
  afterAll(() => useDevice('cpu'));

  it.each(cases)('%s', async (path) => {
    const [area, name] = path.split('/');
    const onDevice = profiled(provider);
    const runtime = createRuntime({ provider: onDevice.provider });
    const found = transformerArea(area, runtime);
    const result = await found.run(ownGoldenDir(area), name).finally(() => runtime.unloadAll());
    const { comparisons } = result as Extract<typeof result, { comparisons: unknown }>;
    expect(comparisons.length).toBeGreaterThan(0);
    expect(comparisons.filter(({ pass }) => !pass)).toEqual([]);
    expect(onDevice.placed().filter(isMisplaced)).toEqual([]);
  });
});

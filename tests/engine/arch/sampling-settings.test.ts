import { describe, expect, test } from 'vitest';
import { sd2 } from '../../../engine/arch/families/sd2.ts';
import { playground, sdxl } from '../../../engine/arch/families/sdxl.ts';
import type { UNetConfig } from '../../../engine/arch/unet.ts';
import { openWeights } from '../../../engine/tensor/cursor.ts';
import { sourceOfShapes } from '../../support/manifest.ts';

const config: UNetConfig = {
  inChannels: 4,
  outChannels: 4,
  modelChannels: 32,
  contextWidth: 64,
  admWidth: undefined,
  depths: [1],
  linearProjection: true,
  heads: { width: 64 },
  temporal: false,
};

/** A candidate whose file has these marker keys, and these numbers wherever they are asked for. */
const candidate = (keys: readonly string[], numbers: Record<string, number[]> = {}) => {
  const file = openWeights(
    sourceOfShapes(
      'marks',
      keys.map((key) => [key, [1]] as const),
    ),
  );
  const values = async (_: unknown, key: string) => numbers[key] && Float32Array.from(numbers[key]);
  return { model: file, file, values };
};

describe('how the network is read', () => {
  const trace = 'output_blocks.11.1.transformer_blocks.0.norm1.bias';
  test.each([
    ['no such bias', {}, 'eps'],
    ['a calm bias', { [trace]: [0.01, -0.01] }, 'eps'],
    ['a spread bias', { [trace]: [0.1, -0.1] }, 'v'],
  ])('SD2 with %s', async (_, numbers, prediction) => {
    const settings = await sd2.sampling(candidate([], numbers), config);
    expect(settings.prediction).toBe(prediction);
  });

  test('SD2 inpaint models always predict eps', async () => {
    const inpaint = { ...config, inChannels: 9 };
    const spread = candidate([], { [trace]: [0.1, -0.1] });
    expect((await sd2.sampling(spread, inpaint)).prediction).toBe('eps');
  });

  test('SDXL by its marker keys', async () => {
    const of = (keys: string[], numbers?: Record<string, number[]>) =>
      sdxl.sampling(candidate(keys, numbers), config);
    expect(await of([])).toEqual({ prediction: 'eps', schedule: {} });
    expect(await of(['v_pred'])).toEqual({ prediction: 'v', schedule: {} });
    expect(await of(['v_pred', 'ztsnr'])).toEqual({ prediction: 'v', schedule: { zsnr: true } });
    expect(await of([], { 'edm_vpred.sigma_max': [120] })).toEqual({
      prediction: 'v-edm',
      schedule: { sigmaMin: 0.002, sigmaMax: 120 },
    });
    expect((await playground.sampling(candidate([]), config)).prediction).toBe('edm');
  });
});

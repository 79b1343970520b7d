/** The bundled model's picture on an adapter, beside the CPU's: the whole way from text to pixels. */
import { expect, it } from 'vitest';
import { psnr } from '../../engine/array/psnr.ts';
import { providers } from '../../engine/runtime/providers.ts';
import type { Image } from '../../engine/values/media.ts';
import { drawHouse } from '../support/draw-scene.ts';
import { onAdapter } from './adapter.ts';

const steps = 4;

/** In decibels, at least. */
const least = { fp32: 80, fp16: 40 } as const;

let onCpu: Promise<Image> | undefined;

onAdapter((precision, provider) => {
  it('is near the picture of the CPU', async () => {
    const { data } = await drawHouse(provider, steps);
    const expected = await (onCpu ??= drawHouse(providers.cpu, steps));
    expect(psnr(data, expected.data)).toBeGreaterThan(least[precision]);
  });
});

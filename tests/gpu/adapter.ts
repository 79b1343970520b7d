/** Suites that need an adapter of the WebGPU provider: skipped where there is none (`setup.ts`). */
import { describe, inject } from 'vitest';
import { inSteps } from '../../engine/runtime/provider.ts';
import { type Provider, deviceKinds } from '../../engine/runtime/providers.ts';

/** A suite for each precision of the WebGPU rows, attention in steps, as drivers in software have them; skipped where no adapter runs it. */
export function onAdapter(tests: (precision: 'fp32' | 'fp16', provider: Provider) => void): void {
  for (const precision of ['fp32', 'fp16'] as const) {
    const provider = inSteps(deviceKinds.webgpu[precision].provider);
    describe.skipIf(!inject('precisions').includes(precision))(precision, () =>
      tests(precision, provider),
    );
  }
}

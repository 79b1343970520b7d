/** Every op row on an adapter. Oracle: the host interpreter, written from the definitions. */
import { it } from 'vitest';
import { opCases } from '../engine/onnx/op-cases.ts';
import { expectLikeInterpreter } from '../engine/onnx/run-op-case.ts';
import { onAdapter } from './adapter.ts';

/** How far a number may be off, of one and of its size, where more than usual is the adapter's right. */
const allowed = {
  // as WGSL allows it: by way of atan2, of 4096 units in the last place (its section on accuracy)
  fp32: { acos: 4096 * 2 ** -23 },
  // kernels of convolutions add up in halves: sums of up to 288 products here
  fp16: { conv: 1e-2 },
} as const;
const usual = { fp32: 2e-6, fp16: 4e-3 } as const;

onAdapter((precision, provider) => {
  it.each(opCases)('$name', async (testCase) => {
    const [op] = testCase.name.split(/[ :]/);
    const exception = (allowed[precision] as Readonly<Record<string, number>>)[op];
    const tolerance = exception ?? Math.max(testCase.tolerance ?? 0, usual[precision]);
    await expectLikeInterpreter(testCase, provider, tolerance);
  });
});

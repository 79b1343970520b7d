/** Every op row on an adapter. Oracle: the host interpreter, written from the definitions. */
import { afterAll, beforeAll, it } from 'vitest';
import { webgpu } from '../../engine/onnx/webgpu.ts';
import type { Provider } from '../../engine/runtime/providers.ts';
import { type Session, openSession } from '../../engine/runtime/session.ts';
import { neg } from '../../engine/tensor/nn.ts';
import { trace } from '../../engine/tensor/trace.ts';
import { randomSource } from '../support/random-weights.ts';
import { type OpCase, opCases } from '../engine/onnx/op-cases.ts';
import { expectLikeInterpreter } from '../engine/onnx/run-op-case.ts';
import { onAdapter } from './adapter.ts';

/** How far a number may be off, of one and of its size, where more than usual is the adapter's right. */
const allowed = {
  // as WGSL allows it: by way of atan2, of 4096 units in the last place (its section on accuracy)
  fp32: { acos: 4096 * 2 ** -23 },
  // kernels of convolutions add up in halves: sums of up to 288 products here;
  // the angle of a cosine near 1 is the root of what it was rounded by
  fp16: { conv: 1e-2, acos: 2 ** -5 },
} as const;
const usual = { fp32: 2e-6, fp16: 4e-3 } as const;

onAdapter((precision, provider) => {
  // While a session is open the device keeps what it compiled, and one op's programs meet another's, as in a server.
  let kept: Session;
  beforeAll(async () => {
    const program = trace('kept', randomSource(), ({ input }) => ({
      y: neg(input('x', 'f32', [1])),
    }));
    kept = await openSession(program, { provider });
  });
  afterAll(() => kept.release());

  /** As if every tensor depended on weights; else hardly any would be computed in halves. */
  const weighted: Provider = { ...provider, exact: (tensor) => provider.exact(tensor, true) };
  const expectGood = async (testCase: OpCase, on: Provider): Promise<void> => {
    const [op] = testCase.name.split(/[ :]/);
    const exception = (allowed[precision] as Readonly<Record<string, number>>)[op];
    const tolerance = exception ?? Math.max(testCase.tolerance ?? 0, usual[precision]);
    await expectLikeInterpreter(testCase, on, tolerance);
  };

  it.each(opCases)('$name', (testCase) => expectGood(testCase, weighted));

  // drivers in software take a third of a minute for each of these programs in halves: one of them
  const flash = precision === 'fp32' ? /^attention/ : /^attention: mask for each/;
  it.each(opCases.filter(({ name }) => flash.test(name)))('flash $name', (testCase) =>
    expectGood(testCase, { ...weighted, table: webgpu }),
  );
});

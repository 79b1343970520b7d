/**
 * What an adapter that the WebGPU provider finds can do, as JSON: each precision of the row, and why it
 * does not run where it does not. A process of its own, for a driver may end the one that asks.
 */
import { deviceKinds } from '../../engine/runtime/providers.ts';
import { openSession } from '../../engine/runtime/session.ts';
import { mul } from '../../engine/tensor/nn.ts';
import { trace } from '../../engine/tensor/trace.ts';
import { randomSource } from '../support/random-weights.ts';

const program = trace('probe', randomSource({ weight: [2] }), ({ input, weights }) => ({
  y: mul(input('x', 'f32', [2]), weights.param('weight')),
}));
const failures = Object.entries(deviceKinds.webgpu).map(async ([precision, { provider }]) => {
  try {
    const session = await openSession(program, { provider });
    await session.run({ x: { data: Float32Array.of(1, 2), shape: [2] } });
    await session.release();
    return [precision, null] as const;
  } catch (error) {
    return [precision, (error as Error).message.split('\n')[0]] as const;
  }
});
process.stdout.write(JSON.stringify(Object.fromEntries(await Promise.all(failures))));

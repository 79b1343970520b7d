/**
 * What the runtime makes of a device that fails, as JSON: in a process of its own, which is started with the
 * failing driver (`failing-driver.c`; it reads the environment whenever it is called).
 */
import { NoodleError } from '../../engine/errors.ts';
import { deviceKinds } from '../../engine/runtime/providers.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { mul, sum } from '../../engine/tensor/nn.ts';
import { trace } from '../../engine/tensor/trace.ts';
import { randomSource } from '../support/random-weights.ts';

const runtime = createRuntime({ provider: deviceKinds.webgpu.fp32.provider });
/** Rows of a product [n, 1024] in between, of which the sums come out. */
const model = await runtime.session('sums', () =>
  trace('sums', randomSource({}), ({ input }) => ({
    y: sum(mul(input('x', 'f32', ['n', 1]), input('w', 'f32', [1, 1024])), [1]),
  })),
);
const w = { data: new Float32Array(1024).fill(1), shape: [1, 1024] };

/** The last sum, or the code of the error. */
async function ask(rows: number, failing: Readonly<Record<string, string>> = {}): Promise<unknown> {
  Object.assign(process.env, failing);
  try {
    const { y } = await model.run({
      x: { data: new Float32Array(rows).fill(2), shape: [rows, 1] },
      w,
    });
    return y.data.at(-1);
  } catch (error) {
    return error instanceof NoodleError ? error.code : String(error);
  } finally {
    for (const name of Object.keys(failing)) delete process.env[name];
  }
}

const answers = {
  before: await ask(8),
  full: await ask(16_384, { MOST_BYTES: String(48 * 2 ** 20) }), // 64 MiB are asked for
  afterFull: await ask(16_384),
  lostByFull: runtime.lostDevice(),
  lost: await ask(8, { LOSE_DEVICE: '1' }),
  afterLost: await ask(8),
  lostByLoss: runtime.lostDevice(),
};
process.stdout.write(JSON.stringify(answers));
process.exit(0);

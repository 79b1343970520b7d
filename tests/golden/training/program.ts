/** Programs of golden cases: functions of the case's arrays, run on the processor. */
import type { NDArray } from '../../../engine/array/nd.ts';
import { openSession, type IdArray } from '../../../engine/runtime/session.ts';
import type { Tensor } from '../../../engine/tensor/tensor.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import type { WeightSource } from '../../../engine/weights/source.ts';

export const noWeights: WeightSource = { label: 'no file', identity: '', tensors: new Map() };

/** What a program takes: real numbers, or integers. */
export type Given = NDArray | IdArray;

/** The results of `build` over inputs of the arrays' names. */
export async function runProgram(
  arrays: Readonly<Record<string, Given>>,
  build: (tensors: Readonly<Record<string, Tensor>>) => Record<string, Tensor>,
): Promise<Readonly<Record<string, NDArray>>> {
  const program = trace('case', noWeights, ({ input }) =>
    build(
      Object.fromEntries(
        Object.entries(arrays).map(([name, array]) => [
          name,
          input(name, 'ids' in array ? 'i64' : 'f32', array.shape),
        ]),
      ),
    ),
  );
  const session = await openSession(program, { threads: 1 });
  try {
    return await session.run(arrays);
  } finally {
    await session.release();
  }
}

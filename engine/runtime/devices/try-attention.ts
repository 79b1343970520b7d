/** Whether a device computes the fused attention of its kind as it is defined. */
import type { NDArray } from '../../array/nd.ts';
import { interpret } from '../../tensor/interpret.ts';
import { attention, cast } from '../../tensor/nn.ts';
import { trace } from '../../tensor/trace.ts';
import { memorySource } from '../../weights/source.ts';
import type { PrecisionRow } from '../providers.ts';
import { openSession } from '../session.ts';

/** Enough tokens for several blocks of the kernels, in no whole number of them; heads as wide as SD1.5's first. */
const sizes = { tokens: 150, text: 77, heads: 2, width: 40 };

/** Of the largest number; halves are off by 1e-3 where all is well, kernels that fail by 3e-2 and more. */
const tolerance = 5e-3;

/** Throws where the row's attention is further than rounding from the interpreter's. */
export async function tryAttention({ provider }: PrecisionRow, shape = sizes): Promise<void> {
  const { tokens, text, heads, width } = shape;
  const type = provider.compute;
  const program = trace('probe', memorySource('probe', 'probe', new Map()), ({ input }) => {
    const q = input('q', type, ['n', 'tokens', heads * width]);
    const [k, v] = ['k', 'v'].map((name) => input(name, type, ['n', 'text', heads * width]));
    return { y: cast(attention(q, k, v, { heads }), 'f32') };
  });
  const wave = (rows: number, speed: number): NDArray => ({
    data: Float32Array.from({ length: rows * heads * width }, (_, i) => Math.sin(i * i * speed)),
    shape: [1, rows, heads * width],
  });
  const inputs = { q: wave(tokens, 0.013), k: wave(text, 0.017), v: wave(text, 0.019) };
  const { y: expected } = await interpret(program, inputs);
  const session = await openSession(program, { provider: { ...provider, exact: () => false } });
  const { y } = await session.run(inputs);
  await session.release();
  const most = Math.max(...Array.from(expected.data, Math.abs));
  const worst = y.data.reduce((far, v, i) => Math.max(far, Math.abs(v - expected.data[i])), 0);
  if (!(worst <= tolerance * most)) {
    throw new Error(
      `its attention is off by ${worst.toPrecision(2)}, of numbers up to ${most.toPrecision(2)}`,
    );
  }
}

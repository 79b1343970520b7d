/** A LoRA file of the difference of two models (LoraSave). */
import { type NDArray, sizeOf } from '../array/nd.ts';
import { type Products, truncatedSvd } from '../array/svd.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { matmul } from '../tensor/nn.ts';
import { trace } from '../tensor/trace.ts';
import { memorySource } from '../weights/source.ts';
import { type TensorToWrite, encodeFloats } from '../weights/write.ts';
import type { Clip } from './clip.ts';
import type { Model } from './model.ts';
import type { Weighted } from './network.ts';
import type { Tensors } from './save-model.ts';
import { isFloat, wholeWeight } from './whole-weight.ts';

export interface ExtractOptions {
  readonly rank: number;
  /** `standard`: two factors of the rank; `full_diff`: the difference itself. */
  readonly kind: 'standard' | 'full_diff';
  /** Whether biases and norms are saved too. */
  readonly biases: boolean;
}

/**
 * The tensors of the file, F16, under ComfyUI's own names. `model` and `clip` are differences
 * (ModelMergeSubtract, CLIPMergeSubtract); each tensor is computed when it is written.
 */
export function extractedLora(
  { model, clip }: { readonly model?: Model | null; readonly clip?: Clip | null },
  options: ExtractOptions,
  runtime: Runtime,
): Tensors {
  const tensors: Tensors = new Map();
  const factored: Factored = (weight, shape, rank) => factor(weight, shape, rank, runtime);
  if (model) extractFrom(model, 'diffusion_model.', { ...options, factored }, tensors);
  for (const encoder of clip?.encoders ?? []) {
    extractFrom(
      encoder,
      `text_encoders.${encoder.spec.name}.transformer.`,
      { ...options, factored },
      tensors,
    );
  }
  return tensors;
}

function extractFrom(
  network: Weighted,
  prefix: string,
  { rank, kind, biases, factored }: ExtractOptions & { readonly factored: Factored },
  tensors: Tensors,
): void {
  const half = (shape: readonly number[], values: () => Promise<Float32Array>): TensorToWrite => ({
    dtype: 'F16',
    shape,
    bytes: async () => encodeFloats(await values(), 'F16'),
  });
  for (const [key, entry] of network.source.tensors) {
    if (!isFloat(entry)) continue;
    const { shape } = entry;
    const whole = half(shape, () => wholeWeight(network, key));
    const name = prefix + key.replace(/\.(weight|bias)$/, '');
    if (key.endsWith('.bias')) {
      if (biases) tensors.set(`${name}.diff_b`, whole);
    } else if (key.endsWith('.weight')) {
      if (kind === 'full_diff' || shape.length < 2) {
        if (kind === 'full_diff' || biases) tensors.set(`${name}.diff`, whole);
        continue;
      }
      const [out, inputs, ...kernel] = shape;
      const size = Math.min(rank, out, inputs);
      const ones = kernel.map(() => 1);
      // both factors come from one decomposition
      let known: Promise<Factors> | undefined;
      const factors = () =>
        (known ??= wholeWeight(network, key).then((w) => factored(w, shape, size)));
      const up = half([out, size, ...ones], async () => (await factors()).up);
      const down = half([size, inputs, ...kernel], async () => (await factors()).down);
      tensors.set(`${name}.lora_up.weight`, up);
      tensors.set(`${name}.lora_down.weight`, down);
    }
  }
}

interface Factors {
  readonly up: Float32Array;
  readonly down: Float32Array;
}

type Factored = (weight: Float32Array, shape: readonly number[], rank: number) => Promise<Factors>;

/** Factors are cut off at this quantile of all their numbers, as in ComfyUI. */
const clampQuantile = 0.99;

/** up [out, rank] and down [rank, rest] of a weight [out, ...rest], cut off at their outliers. */
export async function factor(
  weight: Float32Array,
  shape: readonly number[],
  rank: number,
  runtime: Runtime,
): Promise<Factors> {
  const [out, ...rest] = shape;
  const size = [out, sizeOf(rest)] as const;
  const { left, right } = await truncatedSvd(weight, size, rank, products(weight, size, runtime));
  const all = new Float32Array(left.length + right.length);
  all.set(left);
  all.set(right, left.length);
  const most = quantile(all.sort(), clampQuantile);
  const clamped = (values: Float32Array): Float32Array =>
    values.map((value) => Math.min(most, Math.max(-most, value)));
  return { up: clamped(left), down: clamped(right) };
}

/** Products with a weight on the device's provider; one program serves all weights. */
function products(data: Float32Array, shape: readonly number[], runtime: Runtime): Products {
  const weight = { data, shape };
  const product = async (name: 'right' | 'left', x: NDArray): Promise<NDArray> => {
    const session = await runtime.session(
      `matrix product ${name}`,
      () =>
        trace(`matrix product ${name}`, noWeights, ({ input }) => {
          const a = input('a', 'f32', ['rows', 'columns']);
          return name === 'right'
            ? { out: matmul(a, input('x', 'f32', ['columns', 'count'])) }
            : { out: matmul(input('x', 'f32', ['count', 'rows']), a) };
        }),
      { fullPrecision: true },
    );
    return (await session.run({ a: weight, x })).out;
  };
  return {
    async times(xs) {
      const [count, columns] = [xs.length, xs[0].length];
      const x = new Float32Array(count * columns);
      xs.forEach((vector, k) => vector.forEach((value, i) => (x[i * count + k] = value)));
      const { data: out } = await product('right', { data: x, shape: [columns, count] });
      return xs.map((_, k) =>
        Float64Array.from({ length: shape[0] }, (_, i) => out[i * count + k]),
      );
    },
    async timesTransposed(ys) {
      const [count, rows] = [ys.length, ys[0].length];
      const y = new Float32Array(count * rows);
      ys.forEach((vector, k) => y.set(vector, k * rows));
      const { data: out } = await product('left', { data: y, shape: [count, rows] });
      const columns = shape[1];
      return ys.map((_, k) => Float64Array.from(out.subarray(k * columns, (k + 1) * columns)));
    },
  };
}

const noWeights = memorySource('no weights', 'no weights', []);

/** Linearly between the two nearest of sorted numbers. */
function quantile(sorted: Float32Array, q: number): number {
  const place = q * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}

/** A LoRA file of the difference of two models (LoraSave). */
import { sizeOf } from '../array/nd.ts';
import { truncatedSvd } from '../array/svd.ts';
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
): Tensors {
  const tensors: Tensors = new Map();
  if (model) extractFrom(model, 'diffusion_model.', options, tensors);
  for (const encoder of clip?.encoders ?? []) {
    extractFrom(encoder, `text_encoders.${encoder.spec.name}.transformer.`, options, tensors);
  }
  return tensors;
}

function extractFrom(
  network: Weighted,
  prefix: string,
  { rank, kind, biases }: ExtractOptions,
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
        (known ??= wholeWeight(network, key).then((w) => factor(w, shape, size)));
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

/** Factors are cut off at this quantile of all their numbers, as in ComfyUI. */
const clampQuantile = 0.99;

/** up [out, rank] and down [rank, rest] of a weight [out, ...rest], cut off at their outliers. */
export function factor(weight: Float32Array, shape: readonly number[], rank: number): Factors {
  const [out, ...rest] = shape;
  const { left, right } = truncatedSvd(weight, [out, sizeOf(rest)], rank);
  const all = new Float32Array(left.length + right.length);
  all.set(left);
  all.set(right, left.length);
  const most = quantile(all.sort(), clampQuantile);
  const clamped = (values: Float32Array): Float32Array =>
    values.map((value) => Math.min(most, Math.max(-most, value)));
  return { up: clamped(left), down: clamped(right) };
}

/** Linearly between the two nearest of sorted numbers. */
function quantile(sorted: Float32Array, q: number): number {
  const place = q * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}

/**
 * Weights in whole numbers, symmetric about 0: each output's numbers in steps of its own, as products of
 * 8-bit numbers read them; or each block of an output's numbers, as products of real numbers do.
 */
import { f16ToFloat, floatToF16 } from './float.ts';

/** The largest whole number of so many bits, sign included. */
const largest = (bits: number): number => 2 ** (bits - 1) - 1;

/** What one step of an output is worth whose largest magnitude is this; 1 for an output of zeros. */
export const int8Step = (magnitude: number, bits: number): number =>
  magnitude === 0 ? 1 : Math.fround(magnitude / largest(bits));

/** What one step of each output of a weight [outputs, ...] is worth. */
export function int8Steps(values: Float32Array, outputs: number, bits: number): Float32Array {
  const width = values.length / outputs;
  const steps = new Float32Array(outputs);
  for (let output = 0, i = 0; output < outputs; output++) {
    let most = 0;
    for (const end = i + width; i < end; i++) most = Math.max(most, Math.abs(values[i]));
    steps[output] = int8Step(most, bits);
  }
  return steps;
}

/** Adding this to an f32 of at most 2^22 leaves no room for a fraction. */
const noFraction = 1.5 * 2 ** 23;

/**
 * A weight [o, i, ...kernel] in these steps of its outputs, as the right side of a product: [...kernel, i, o].
 */
export function int8Columns(
  values: Float32Array,
  [outputs, channels]: readonly number[],
  steps: Float32Array,
): Int8Array {
  const width = values.length / outputs;
  const out = new Int8Array(values.length);
  const places = int8Places(width, channels, outputs);
  for (let output = 0, from = 0; output < outputs; output++) {
    const factor = Math.fround(1 / steps[output]);
    for (let column = 0; column < width; column++, from++) {
      const scaled = Math.fround(values[from] * factor);
      out[places[column] + output] = Math.fround(scaled + noFraction) - noFraction;
    }
  }
  return out;
}

/** Where the numbers of the outputs begin that stand in a column of a weight [o, i, ...kernel]. */
export function int8Places(width: number, channels: number, outputs: number): Int32Array {
  const taps = width / channels;
  return Int32Array.from({ length: width }, (_, column) => {
    const tap = column % taps;
    return (tap * channels + (column - tap) / taps) * outputs;
  });
}

/** Numbers of an output that share their steps. */
export const int8Block = 32;

/** The whole number that stands for 0 in a block. */
const blockZero = 128;

/** What one step of each block is worth, as halves, told from the largest magnitude in it. */
export const int8BlockSteps = (magnitudes: Float32Array): Uint16Array =>
  floatToF16(magnitudes.map((most) => most / largest(8)));

/** Numbers in these steps of their blocks, about `blockZero`. */
export function int8Blocks(values: Float32Array, steps: Uint16Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8ClampedArray(values.length); // rounds by itself
  const worth = f16ToFloat(steps);
  for (let block = 0, i = 0; block < worth.length; block++) {
    const factor = worth[block] === 0 ? 0 : 1 / worth[block];
    for (const end = i + int8Block; i < end; i++) out[i] = values[i] * factor + blockZero;
  }
  return new Uint8Array(out.buffer);
}

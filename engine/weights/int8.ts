/**
 * Weights in whole numbers: each output's numbers in steps of its own, symmetric about 0, as products of
 * 8-bit numbers read them.
 */

/** The largest whole number of so many bits, sign included. */
const largest = (bits: number): number => 2 ** (bits - 1) - 1;

/** Outputs that are transposed together: their lines stay in a core's own cache. */
const together = 32;

/** What one step of each output of a weight [outputs, ...] is worth; 1 for an output of zeros. */
export function int8Steps(values: Float32Array, outputs: number, bits: number): Float32Array {
  const width = values.length / outputs;
  const steps = new Float32Array(outputs);
  for (let output = 0, i = 0; output < outputs; output++) {
    let most = 0;
    for (const end = i + width; i < end; i++) most = Math.max(most, Math.abs(values[i]));
    steps[output] = most === 0 ? 1 : most / largest(bits);
  }
  return steps;
}

/**
 * A weight [o, i, ...kernel] in steps of its outputs, as the right side of a product: [...kernel, i, o].
 * `bits` are those of a whole number with its sign, at most 8.
 */
export function int8Columns(
  values: Float32Array,
  [outputs, channels]: readonly number[],
  bits: number,
): Int8Array {
  const width = values.length / outputs;
  const taps = width / channels;
  const perUnit = int8Steps(values, outputs, bits).map((step) => 1 / step);
  const out = new Int8Array(values.length);
  for (let first = 0; first < outputs; first += together) {
    const end = Math.min(first + together, outputs);
    for (let channel = 0; channel < channels; channel++) {
      for (let tap = 0; tap < taps; tap++) {
        const line = (tap * channels + channel) * outputs;
        let from = first * width + channel * taps + tap;
        for (let o = first; o < end; o++, from += width) {
          out[line + o] = ((values[from] * perUnit[o] + 128.5) | 0) - 128; // rounded, as none is below -128
        }
      }
    }
  }
  return out;
}

/** Sound on wires, and what nodes do with two of them. */
import { concat } from '../array/batch.ts';
import type { NDArray } from '../array/nd.ts';
import { resampleSound } from '../array/resample-sound.ts';

export interface Audio {
  /** [batch, channels, samples], values -1..1. */
  readonly waveform: NDArray;
  /** Samples a second, the same for all channels. */
  readonly sampleRate: number;
}

/** Two sounds at the higher one of their sample rates. */
export function atOneRate(a: Audio, b: Audio): { a: NDArray; b: NDArray; sampleRate: number } {
  const sampleRate = Math.max(a.sampleRate, b.sampleRate);
  const at = ({ waveform, sampleRate: from }: Audio): NDArray =>
    resampleSound(waveform, from, sampleRate);
  return { a: at(a), b: at(b), sampleRate };
}

/** A waveform whose single channel (or single batch item) is repeated to the sizes given. */
export function spread(x: NDArray, batch: number, channels: number): NDArray {
  const repeat = (y: NDArray, axis: number, count: number): NDArray =>
    y.shape[axis] === 1 && count > 1 ? concat(Array<NDArray>(count).fill(y), axis) : y;
  return repeat(repeat(x, 1, channels), 0, batch);
}

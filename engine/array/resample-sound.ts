/**
 * Sound at another sample rate: interpolation with a sinc under a Hann window (Smith, "Digital Audio
 * Resampling"), with the numbers that torchaudio's `functional.resample` has by default.
 */
import { NoodleError } from '../errors.ts';
import { nd, sizeOf } from './nd.ts';
import type { NDArray } from './nd.ts';

/** Zero crossings of the sinc on each side. */
const CROSSINGS = 6;
/** The cut-off, as a share of the lower one of the two Nyquist frequencies. */
const ROLL_OFF = 0.99;

/**
 * [..., samples] at `from` samples a second -> [..., ceil(samples · to / from)] at `to`. Throws BAD_INPUT
 * for rates that are not positive integers.
 */
export function resampleSound(x: NDArray, from: number, to: number): NDArray {
  for (const got of [from, to]) {
    if (Number.isSafeInteger(got) && got > 0) continue;
    throw new NoodleError('BAD_INPUT', { subject: 'sample_rate', expected: 'at least 1', got });
  }
  if (from === to) return x;
  const divisor = gcd(from, to);
  const [old, now] = [from / divisor, to / divisor];
  const length = x.shape[x.shape.length - 1];
  const longer = Math.ceil((now * length) / old);
  const channels = length === 0 ? 0 : sizeOf(x.shape) / length;
  const out = new Float32Array(channels * longer);
  // Output `place` lies at place · old / now; those that lie alike between two samples share their taps.
  for (let phase = 0; phase < Math.min(now, longer); phase++) {
    const { first, taps } = tapsOf(phase, old, now);
    for (let channel = 0; channel < channels; channel++) {
      const start = channel * length;
      for (let place = phase, at = first; place < longer; place += now, at += old) {
        let sum = 0;
        const end = Math.min(taps.length, length - at);
        for (let k = Math.max(0, -at); k < end; k++) sum += taps[k] * x.data[start + at + k];
        out[channel * longer + place] = sum;
      }
    }
  }
  return nd(out, [...x.shape.slice(0, -1), longer]);
}

/** What the samples from `first` on weigh in the outputs of a phase. */
function tapsOf(phase: number, old: number, now: number): { first: number; taps: Float64Array } {
  const cutOff = Math.min(old, now) * ROLL_OFF;
  const centre = (phase * old) / now;
  const reach = (CROSSINGS * old) / cutOff;
  const first = Math.ceil(centre - reach);
  const count = Math.floor(centre + reach) - first + 1;
  const taps = Float64Array.from({ length: count }, (_, k) => {
    const t = ((first + k - centre) / old) * cutOff;
    const window = Math.cos((t * Math.PI) / CROSSINGS / 2) ** 2;
    const sinc = t === 0 ? 1 : Math.sin(t * Math.PI) / (t * Math.PI);
    return (sinc * window * cutOff) / old;
  });
  return { first, taps };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

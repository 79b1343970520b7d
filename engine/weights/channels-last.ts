/** Filters with their channels last, as graphics cards read them. */
import { sizeOf } from '../array/nd.ts';

/** Whole filters [o, i, ...kernel] as [o, ...kernel, i]. */
export function channelsLast<T extends Float32Array | Uint16Array>(
  values: T,
  [, channels, ...kernel]: readonly number[],
): T {
  const taps = sizeOf(kernel);
  const filter = channels * taps;
  const laid = values.slice() as T;
  for (let at = 0; at < values.length; at += filter) {
    for (let tap = 0; tap < taps; tap++) {
      const to = at + tap * channels;
      for (let c = 0, from = at + tap; c < channels; c++, from += taps) laid[to + c] = values[from];
    }
  }
  return laid;
}

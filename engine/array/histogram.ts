/** How often levels occur in a picture. */
import type { NDArray } from './nd.ts';
import { toByte } from './round.ts';

const LEVELS = 256;
const f = Math.fround;

type Name = 'rgb' | 'luminance' | 'red' | 'green' | 'blue';

/** Counts of 8-bit levels (values cut) of the first picture [b, h, w, 3+]; `rgb` is the channels' mean. */
export function histograms({ data, shape }: NDArray): Record<Name, number[]> {
  const [, h, w, channels] = shape;
  const count = (): number[] => new Array<number>(LEVELS).fill(0);
  const [red, green, blue, luminance] = [count(), count(), count(), count()];
  for (let i = 0; i < h * w * channels; i += channels) {
    const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
    red[toByte(r)]++;
    green[toByte(g)]++;
    blue[toByte(b)]++;
    // ITU-R BT.709, in fp32 steps.
    const luma = f(f(f(f(0.2126) * r) + f(f(0.7152) * g)) + f(f(0.0722) * b));
    luminance[toByte(luma)]++;
  }
  const rgb = red.map((n, i) => Math.floor((n + green[i] + blue[i]) / 3));
  return { rgb, luminance, red, green, blue };
}

/** The noise schedule of DDPM models as trainers build it: a table in single precision (Ho et al. 2020). */
import { linspace } from '../../array/linspace.ts';

const f = Math.fround;

interface DdpmSchedule {
  readonly betaStart?: number;
  readonly betaEnd?: number;
  readonly timesteps?: number;
  /** Whether betas are evenly spaced in their square roots ("scaled linear"), or as they are. */
  readonly scaled?: boolean;
  /** Whether the last step is nothing but noise (Lin et al. 2023, algorithm 1). */
  readonly zeroTerminalSnr?: boolean;
}

/** What is left of the picture's variance at each timestep (alpha bar), falling. */
export function alphasCumprod({
  betaStart = 0.00085,
  betaEnd = 0.012,
  timesteps = 1000,
  scaled = true,
  zeroTerminalSnr = false,
}: DdpmSchedule = {}): Float32Array {
  const ends = scaled ? [Math.sqrt(betaStart), Math.sqrt(betaEnd)] : [betaStart, betaEnd];
  const spaced = linspace(ends[0], ends[1], timesteps);
  let product = 1;
  const table = Float32Array.from(spaced, (value) => {
    product *= f(1 - (scaled ? f(value * value) : value));
    return product;
  });
  return zeroTerminalSnr ? withoutTerminalSignal(table) : table;
}

/** Square roots shifted and stretched so that the last is 0 and the first stays. */
function withoutTerminalSignal(table: Float32Array): Float32Array {
  const roots = table.map(Math.sqrt);
  const [first, last] = [roots[0], roots[roots.length - 1]];
  const stretch = f(first / f(first - last));
  return roots.map((root) => f(f(root - last) * stretch) ** 2);
}

/** Signal to noise of a share of signal: alpha bar / (1 - alpha bar). */
export const snrOf = (alphaBar: number): number =>
  f(f(f(Math.sqrt(alphaBar)) / f(Math.sqrt(f(1 - alphaBar)))) ** 2);

/**
 * Noise schedules: the table of sigmas a model was trained on and the way between sigma, the time its
 * network is told, and a percentage of the run. Tables are fp32 like torch's.
 */
import { linspace } from '../array/linspace.ts';
import { clamp } from '../array/round.ts';
import { NoodleError } from '../errors.ts';

export interface SigmaSchedule {
  /** Rising table of noise levels. */
  readonly sigmas: Float32Array;
  /** Standard deviation of the data the network was scaled for. */
  readonly sigmaData: number;
  /** The time that the network is told for a noise level. */
  readonly timestep: (sigma: number) => number;
  /** The noise level of a network time. */
  readonly sigma: (timestep: number) => number;
  /** The noise level at a part (0 start .. 1 end) of the run. */
  readonly percentToSigma: (percent: number) => number;
}

type Settings = Readonly<Record<string, number | string | boolean>>;

/** Above every sigma: "active from the very start". */
const beyondMax = 999999999.9;

const f = Math.fround;

const number = (settings: Settings, key: string, fallback: number): number => {
  const value = settings[key];
  return typeof value === 'number' ? value : fallback;
};

/** A setting that only numbers above 0 make a schedule with; throws BAD_INPUT. */
function positive(settings: Settings, key: string, fallback: number): number {
  const value = number(settings, key, fallback);
  if (value > 0 && value < Infinity) return value;
  const subject = `${key} of the noise schedule`;
  throw new NoodleError('BAD_INPUT', { subject, expected: 'a number above 0', got: value });
}

/** f of a percentage strictly inside the run; its ends are given. */
const inside =
  (atStart: number, f: (remaining: number) => number): SigmaSchedule['percentToSigma'] =>
  (percent) =>
    percent <= 0 ? atStart : percent >= 1 ? 0 : f(1 - percent);

/** A schedule on a table of discrete steps: times are indices, sigmas between them are geometric means. */
function tableSchedule(
  exact: Float64Array | Float32Array,
  indexToTime: { readonly step: number; readonly first: number } = { step: 1, first: 0 },
): SigmaSchedule {
  const sigmas = Float32Array.from(exact);
  const logs = Float32Array.from(exact, Math.log);
  const { step, first } = indexToTime;
  const sigma = (timestep: number): number => {
    if (Number.isNaN(timestep)) throw new RangeError('NaN is no place in the noise schedule');
    // fp32 like the reference: near zero terminal SNR the last digits of t move sigma visibly
    const t = Math.fround(clamp((timestep - first) / step, 0, logs.length - 1));
    const low = Math.floor(t);
    const w = t - low;
    const log = f(f(1 - w) * logs[low]) + f(w * logs[Math.ceil(t)]);
    return f(Math.exp(f(log)));
  };
  return {
    sigmas,
    sigmaData: 1,
    timestep: (value) => nearest(logs, Math.fround(Math.log(value))) * step + first,
    sigma,
    percentToSigma: inside(beyondMax, (remaining) => sigma(remaining * 999)),
  };
}

/** Index of the entry of a rising table that is closest to `value`; the first of equals. */
function nearest(table: Float32Array, value: number): number {
  let best = 0;
  let bestDistance = Infinity;
  for (let i = 0; i < table.length; i++) {
    const distance = Math.fround(Math.abs(value - table[i]));
    if (distance < bestDistance) {
      best = i;
      bestDistance = distance;
    }
  }
  return best;
}

/** Sigmas of a DDPM beta schedule (Ho et al. 2020), "linear" meaning linear in sqrt(beta) as in LDM. */
function discreteSigmas(settings: Settings): Float64Array {
  const start = number(settings, 'linearStart', 0.00085);
  const end = number(settings, 'linearEnd', 0.012);
  const count = number(settings, 'timesteps', 1000);
  const squared = settings['betaSchedule'] !== 'sqrt_linear';
  const [low, high] = squared ? [Math.sqrt(start), Math.sqrt(end)] : [start, end];
  const sigmas = new Float64Array(count);
  let cumulative = 1;
  for (let i = 0; i < count; i++) {
    const value = low + ((high - low) * i) / (count - 1);
    cumulative *= 1 - (squared ? value * value : value);
    sigmas[i] = Math.sqrt((1 - cumulative) / cumulative);
  }
  return settings['zsnr'] === true ? zeroTerminalSnr(sigmas) : sigmas;
}

/** Lin et al. 2023, algorithm 1; the last alpha stays just above 0 so that sigma_max is finite. */
function zeroTerminalSnr(sigmas: Float64Array): Float64Array {
  const roots = sigmas.map((sigma) => Math.sqrt(1 / (sigma * sigma + 1)));
  const first = roots[0];
  const last = roots[roots.length - 1];
  const cumulative = roots.map((a) => (((a - last) * first) / (first - last)) ** 2);
  cumulative[cumulative.length - 1] = 4.8973451890853435e-8;
  return cumulative.map((a) => Math.sqrt((1 - a) / a));
}

/** The schedule of LCM-distilled models: every 20th sigma of the original one, times unchanged. */
function lcmSchedule(settings: Settings): SigmaSchedule {
  const full = Float32Array.from(discreteSigmas(settings));
  const step = Math.floor(full.length / 50);
  const sigmas = Float32Array.from(
    { length: 50 },
    (_, i) => full[full.length - 1 - (49 - i) * step],
  );
  return tableSchedule(sigmas, { step, first: step - 1 });
}

/** 1000 sigmas, evenly spaced in their logarithms. */
function logSpaced(settings: Settings, sigmaMax: number): Float32Array {
  const low = Math.log(positive(settings, 'sigmaMin', 0.002));
  const high = Math.log(positive(settings, 'sigmaMax', sigmaMax));
  return Float32Array.from(linspace(low, high, 1000), Math.exp);
}

/** EDM's continuous noise levels (Karras et al. 2022). */
function edmSchedule(settings: Settings, sigmaMax = 120): SigmaSchedule {
  const sigmas = logSpaced(settings, sigmaMax);
  const low = Math.log(sigmas[0]);
  const high = Math.log(sigmas[sigmas.length - 1]);
  return {
    sigmas,
    sigmaData: number(settings, 'sigmaData', 1),
    timestep: (sigma) => 0.25 * Math.log(sigma),
    sigma: (timestep) => Math.exp(timestep / 0.25),
    percentToSigma: inside(beyondMax, (remaining) => Math.exp((high - low) * remaining + low)),
  };
}

/** A table of `count` sigmas at times max·1/count .. max, each time rounded to fp32. */
const table = (count: number, max: number, sigma: (t: number) => number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => sigma(f(max * f((i + 1) / count))));

/** SD3's shift towards more noise, a·t / (1 + (a - 1)·t). */
const shiftTime = (shift: number, t: number): number => (shift * t) / (1 + (shift - 1) * t);

function flowSchedule(settings: Settings): SigmaSchedule {
  const shift = positive(settings, 'shift', 1);
  const multiplier = number(settings, 'multiplier', 1000);
  // Tables are exact to the bit: each operation is rounded to fp32 as in the reference.
  const sigma = (timestep: number): number => {
    const t = f(timestep / multiplier);
    return shift === 1 ? t : f(f(f(shift) * t) / f(1 + f(f(shift - 1) * t)));
  };
  return {
    sigmas: table(1000, multiplier, sigma),
    sigmaData: 1,
    timestep: (value) => f(value * multiplier),
    sigma,
    percentToSigma: inside(1, (remaining) => shiftTime(shift, remaining)),
  };
}

/** Flux's resolution-dependent shift; `shift` is mu. */
function fluxSchedule(settings: Settings): SigmaSchedule {
  const mu = Math.exp(number(settings, 'shift', 1.15));
  const sigma = (t: number): number => f(f(1 / f(f(mu) + f(f(1 / t) - 1))) * f(mu));
  return {
    sigmas: table(10000, 1, sigma),
    sigmaData: 1,
    timestep: (value) => value,
    sigma,
    percentToSigma: inside(1, (remaining) => mu / (mu + 1 / remaining - 1)),
  };
}

/**
 * Stable Cascade: a cosine schedule, shifted in logSNR. In fp32 steps as the reference's: its network tells
 * times apart by their last digits.
 */
function cascadeSchedule(settings: Settings): SigmaSchedule {
  const shift = number(settings, 'shift', 1);
  const s = f(0.008);
  const whole = f(1 + s);
  const halfTurn = f(Math.PI / 2);
  const squaredCosine = (part: number): number =>
    f(f(Math.cos(f(f(f(part) * f(Math.PI)) * 0.5))) ** 2);
  const first = squaredCosine(s / whole);
  const offset = f(2 * f(Math.log(f(1 / f(shift)))));
  const shifted = (alpha: number): number => {
    const logSnr = f(f(Math.log(f(alpha / f(1 - alpha)))) + offset);
    return f(1 / f(1 + f(Math.exp(-logSnr))));
  };
  const sigma = (t: number): number => {
    const cosine = f(squaredCosine(f(f(t) + s) / whole) / first);
    const alpha = clamp(shift === 1 ? cosine : shifted(cosine), f(0.0001), f(0.9999));
    return f(Math.sqrt(f(f(1 - alpha) / alpha)));
  };
  return {
    sigmas: table(10000, 1, sigma),
    sigmaData: 1,
    timestep(value) {
      const alpha = clamp(f(1 / f(f(f(value) * f(value)) + 1)), 0, 1);
      const angle = f(Math.acos(f(Math.sqrt(f(alpha * first)))));
      return f(f(f(angle / halfTurn) * whole) - s);
    },
    sigma,
    percentToSigma: inside(beyondMax, sigma),
  };
}

function cosmosSchedule(settings: Settings): SigmaSchedule {
  const edm = edmSchedule(settings, 80);
  const max = edm.sigmas[edm.sigmas.length - 1];
  return {
    ...edm,
    timestep: (sigma) => sigma / (sigma + 1),
    sigma: (timestep) => (timestep >= max / (max + 1) ? max : timestep / (1 - timestep)),
  };
}

/** Every schedule by its name in `SamplingSettings.schedule.type`. */
export const sigmaSchedules: Readonly<Record<string, (settings: Settings) => SigmaSchedule>> = {
  discrete: (settings) => tableSchedule(discreteSigmas(settings)),
  edm: (settings) => edmSchedule(settings),
  'continuous-v': (settings) => ({
    ...edmSchedule(settings),
    timestep: (sigma) => (Math.atan(sigma) / Math.PI) * 2,
    sigma: (timestep) => Math.tan((timestep * Math.PI) / 2),
  }),
  flow: flowSchedule,
  flux: fluxSchedule,
  cascade: cascadeSchedule,
  cosmos: cosmosSchedule,
  lcm: lcmSchedule,
};

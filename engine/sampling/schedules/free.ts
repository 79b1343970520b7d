/** Schedules of scheduler nodes that need no model, or more of it than the usual schedulers. */
import { linspace, linspace64 } from '../../array/linspace.ts';
import { normalQuantile } from '../../array/normal-quantile.ts';
import { clamp, roundHalfEven, toInteger } from '../../array/round.ts';
import type { ModelSampling } from '../model-sampling.ts';
import { calculateSigmas, stepsForDenoise } from './schedules.ts';

/** BasicScheduler: the last steps + 1 sigmas of int(steps / denoise) steps. */
export function basicSchedule(
  sampling: ModelSampling,
  scheduler: string,
  { steps, denoise }: { steps: number; denoise: number },
): Float32Array {
  if (denoise <= 0) return new Float32Array(0);
  const total = denoise < 1 ? stepsForDenoise(steps, denoise) : steps;
  return calculateSigmas(sampling, scheduler, total).slice(-(steps + 1));
}

/** A power law in log sigma (k-diffusion). */
export function polyexponentialSigmas(
  steps: number,
  { low, high, rho }: { low: number; high: number; rho: number },
): Float32Array {
  const [a, b] = [Math.log(low), Math.log(high)];
  const ramp = linspace(1, 0, steps).map((r) => Math.exp(r ** rho * (b - a) + a));
  return Float32Array.from([...ramp, 0]);
}

/** A continuous variance-preserving schedule (Song et al. 2021). */
export function vpSigmas(
  steps: number,
  { betaD, betaMin, epsS }: { betaD: number; betaMin: number; epsS: number },
): Float32Array {
  const levels = linspace(1, epsS, steps).map((t) =>
    Math.sqrt(Math.expm1((betaD * t * t) / 2 + betaMin * t)),
  );
  return Float32Array.from([...levels, 0]);
}

/** Hang et al. 2024 (arXiv 2407.03297): a Laplace distribution over log sigma; no 0 at the end. */
export function laplaceSigmas(
  steps: number,
  options: { low: number; high: number; mu: number; beta: number },
): Float32Array {
  const { low, high, mu, beta } = options;
  return Float32Array.from(linspace(0, 1, steps), (x) => {
    const side = Math.sign(0.5 - x);
    const spread = Math.log(Math.fround(1 - 2 * Math.abs(0.5 - x)) + 1e-5);
    return clamp(Math.exp(mu - beta * side * spread), low, high);
  });
}

/** SD Turbo: `steps` of the times 999, 899 … 99, from the one that `denoise` reaches. */
export function sdTurboSigmas(
  { sigma }: ModelSampling,
  { steps, denoise }: { steps: number; denoise: number },
): Float32Array {
  const start = 10 - toInteger(10 * denoise);
  const times = Array.from({ length: 10 }, (_, i) => 999 - 100 * i).slice(start, start + steps);
  return Float32Array.from([...times.map(sigma), 0]);
}

export interface LtxvScheduleOptions {
  readonly maxShift: number;
  readonly baseShift: number;
  /** Stretch so that the last level before 0 is `terminal`. */
  readonly stretch: boolean;
  readonly terminal: number;
  /** Latent cells of the video; 4096 when it is not known. */
  readonly tokens?: number | undefined;
}

/** LTXV: Flux's shift with a mu that grows with the size of the video. */
export function ltxvSigmas(
  steps: number,
  { maxShift, baseShift, stretch, terminal, tokens = 4096 }: LtxvScheduleOptions,
): Float32Array {
  const slope = (maxShift - baseShift) / (4096 - 1024);
  const mu = Math.exp(tokens * slope + baseShift - slope * 1024);
  const levels = linspace(1, 0, steps + 1).map((t) => (t === 0 ? 0 : mu / (mu + 1 / t - 1)));
  if (!stretch) return Float32Array.from(levels);
  const rest = levels.filter((level) => level !== 0).map((level) => 1 - level);
  const factor = rest[rest.length - 1] / (1 - terminal);
  return Float32Array.from(levels, (level) => (level === 0 ? 0 : 1 - (1 - level) / factor));
}

/** A picture's size in pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Flux.2: Flux's shift of even times, with a mu measured at 10 and at 200 steps for the number of tokens
 * (16 × 16 pixels each) and a straight line between; large pictures take that of 200 steps.
 */
export function flux2Sigmas(steps: number, { width, height }: Size): Float32Array {
  const tokens = roundHalfEven((width * height) / (16 * 16));
  const at200 = 0.00016927 * tokens + 0.45666666;
  const at10 = 8.73809524e-5 * tokens + 1.89833333;
  const slope = (at200 - at10) / 190;
  const mu = tokens > 4300 ? at200 : slope * steps + (at200 - 200 * slope);
  const [f, shift] = [Math.fround, Math.fround(Math.exp(mu))];
  // fp32 in the reference's order
  return Float32Array.from(linspace(1, 0, steps + 1), (t) => {
    const odds = f(f(1 / t) - 1);
    return f(f(1 / f(shift + odds)) * shift);
  });
}

/**
 * Ideogram 4: times whose logits are normally distributed, shifted with the picture's size and cut to
 * log signal-to-noise ratios of -15 .. 18; the last level is 0.
 */
export function ideogram4Sigmas(
  steps: number,
  { width, height, mu, std }: Size & { readonly mu: number; readonly std: number },
): Float32Array {
  const mean = mu + 0.5 * Math.log((width * height) / (512 * 512));
  const [low, high] = [-15, 18].map((ratio) => 1 / (1 + Math.exp(0.5 * ratio)));
  const levels = linspace64(1, 0, steps + 1).map((u) => {
    const clean = 1 - 1 / (1 + Math.exp(-(mean + std * normalQuantile(u))));
    return 1 - clamp(clean, high, low);
  });
  levels[steps] = 0;
  return Float32Array.from(levels);
}

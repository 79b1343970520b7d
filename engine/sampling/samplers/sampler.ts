/** What a sampler is: one function that walks from noise to a picture over a denoiser. */
import type { NDArray } from '../../array/nd.ts';
import type { ModelSampling } from '../model-sampling.ts';
import type { NoiseSampler } from '../noise/brownian-tree.ts';

/** What guidance makes of x at a noise level. */
export interface Prediction {
  readonly denoised: NDArray;
  /** The unconditional side, for CFG++ samplers. */
  readonly uncond: NDArray;
}

/** Asks for the prediction of x at noise level sigma. */
export type Denoise = (x: NDArray, sigma: number) => Promise<Prediction>;

/** What a step tells the outside world. */
export interface Step {
  readonly i: number;
  readonly x: NDArray;
  readonly denoised: NDArray;
}

/** What a sampler may use besides the denoiser. */
export interface SamplerTools {
  readonly sampling: ModelSampling;
  /** Fresh unit noise for the step from one sigma to the next. */
  readonly noise: NoiseSampler;
  /** Normals of this shape from the generator that also drew the initial noise. */
  readonly globalNoise: (shape: readonly number[]) => NDArray;
  /** Progress: previews, interruption, and a turn of the event loop. */
  readonly step: (step: Step) => Promise<void>;
}

/** Walks x down `sigmas` (fp32 levels, usually ending in 0) and returns the last x. */
export type Sampler = (
  denoise: Denoise,
  x: NDArray,
  sigmas: Readonly<Float32Array>,
  tools: SamplerTools,
) => Promise<NDArray>;

/** A sampler with what the driver must know about it: the value on SAMPLER wires. */
export interface SamplerDefinition {
  readonly run: Sampler;
  /** Its noise is a Brownian path over sigma; otherwise each request draws one tensor. */
  readonly noise?: 'brownian';
  /** In place of a 0 at the end of the schedule, which it cannot reach. */
  readonly lastSigma?: number;
  /** Schedules get one step more and lose their second last sigma. */
  readonly dropPenultimate?: boolean;
  /** It reads `uncond` of predictions, so the unconditional side is evaluated even at cfg 1. */
  readonly usesUncond?: boolean;
  /** While inpainting, the kept part is noised with noise of seed + 1 instead of the initial noise. */
  readonly freshInpaintNoise?: boolean;
}

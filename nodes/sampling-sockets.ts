/** What travels between the custom sampling nodes: SAMPLER, SIGMAS, NOISE and GUIDER. */
import { type Model, socket } from '../engine/node.ts';
import type { Guider } from '../engine/sampling/guidance/hooks.ts';
import type { SamplerDefinition } from '../engine/sampling/samplers/sampler.ts';

/** NOISE: what a run starts from. */
export interface Noise {
  readonly seed: number | bigint;
  /** The noise is 0; the sampler's own noise still comes from the seed. */
  readonly disabled: boolean;
}

/** GUIDER: a model and how its predictions are joined. */
export interface GuidedBy {
  readonly model: Model;
  /** The other model of a guider that asks two. */
  readonly second?: Model;
  readonly guider: Guider;
}

export const sampler = () => socket<SamplerDefinition>('SAMPLER', undefined, ['run']);
/** SIGMAS: fp32 noise levels, never changed in place. */
export const sigmas = () => socket<Float32Array>('SIGMAS', undefined, ['length']);
export const noise = () => socket<Noise>('NOISE', undefined, ['seed']);
export const guider = () => socket<GuidedBy>('GUIDER', undefined, ['model', 'guider']);

/** The cfg of guiders. */
export const cfgOptions = { default: 8, min: 0, max: 100, step: 0.1, round: 0.01 };
/** Seeds up to 2^64 - 1. */
export const seedOptions = {
  default: 0,
  min: 0,
  max: 18446744073709551615n,
  control_after_generate: true,
};

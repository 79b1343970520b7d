/** Which latents a pass of ComfyUI's TrainLoraNode looks at: of one size together, of several apart, or a bucket's. */
import { NoodleError } from '../errors.ts';
import { rows } from '../array/batch.ts';
import { type NDArray, sameShape } from '../array/nd.ts';
import type { TorchGenerator } from '../sampling/noise/torch-generator.ts';

/** Latents of one size, for one call of the network. */
export interface Pick {
  /** Places in the list of all latents. */
  readonly items: readonly number[];
  /** How much their loss counts; those of a pass add up to 1. */
  readonly share: number;
}

export interface Picks {
  /** All latents, each [1, c, ...]. */
  readonly latents: readonly NDArray[];
  /** What the next pass looks at; draws from `generator`. */
  readonly next: (generator: TorchGenerator) => readonly Pick[];
}

/**
 * The latents of batches [n, c, ...], of which `size` at a time are looked at. With `bucketed` those of a batch are
 * looked at together, and only they; a batch is drawn as often as it has latents. Throws BAD_INPUT where there are none.
 */
export function picksOf(batches: readonly NDArray[], size: number, bucketed: boolean): Picks {
  const latents = batches.flatMap((batch) =>
    Array.from({ length: batch.shape[0] }, (_, i) => rows(batch, i, i + 1)),
  );
  if (latents.length === 0) {
    throw new NoodleError('BAD_INPUT', { subject: 'latents', expected: 'a latent', got: 'none' });
  }
  const some = (generator: TorchGenerator, count: number): number[] => [
    ...generator.randperm(count).subarray(0, size),
  ];
  if (bucketed) {
    const ends = batches.map((_, i) => sum(batches.slice(0, i + 1).map(({ shape: [n] }) => n)));
    return {
      latents,
      next: (generator) => {
        // the reference's own draw differs from processor to processor
        const place = generator.rand(1)[0] * latents.length;
        const bucket = ends.findIndex((end) => place < end);
        const count = batches[bucket].shape[0];
        const items = some(generator, count).map((i) => ends[bucket] - count + i);
        return [{ items, share: 1 }];
      },
    };
  }
  if (latents.every(({ shape }) => sameShape(shape, latents[0].shape))) {
    return { latents, next: (generator) => [{ items: some(generator, latents.length), share: 1 }] };
  }
  return {
    latents,
    next: (generator) => {
      const items = some(generator, latents.length);
      return items.map((item) => ({ items: [item], share: 1 / items.length }));
    },
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

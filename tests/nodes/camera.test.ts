import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { NDArray } from '../../engine/array/nd.ts';
import { wanCameraEmbedding } from '../../nodes/camera.ts';
import { assertLikeReference } from '../support/object-info.ts';

interface Case {
  readonly inputs: Record<string, unknown>;
  readonly shape: readonly number[];
  /** Numbers at places 7919 apart, round and round. */
  readonly picks: readonly number[];
  /** Σ v·(i mod 97 + 1). */
  readonly sum: number;
}

/** Computed by the reference. */
const reference = JSON.parse(
  readFileSync(new URL('../fixtures/camera.json', import.meta.url), 'utf8'),
) as Record<string, Case>;

const context = { progress: () => undefined } as never;

describe('WanCameraEmbedding', () => {
  it('prints as the reference', () => assertLikeReference(wanCameraEmbedding));

  it.each(Object.entries(reference))('moves: %s', async (_, { inputs, shape, picks, sum }) => {
    const [rays, ...rest] = (await wanCameraEmbedding.run(inputs, context)) as [NDArray];
    const { width, height, length } = inputs;
    expect([rays.shape, rest]).toEqual([shape, [width, height, length]]);
    picks.forEach((v, i) => expect(rays.data[(i * 7919) % rays.data.length]).toBeCloseTo(v, 5));
    const own = rays.data.reduce((all, v, i) => all + v * ((i % 97) + 1), 0);
    expect(Math.abs(own - sum) / (49 * rays.data.length)).toBeLessThan(1e-7);
  });

  it('refuses lengths that are no groups, and a lens without width', async () => {
    const inputs = { camera_pose: 'Static', width: 16, height: 16, length: 6 };
    await expect(wanCameraEmbedding.run(inputs, context)).rejects.toThrow('4n + 1');
    const flat = wanCameraEmbedding.run({ ...inputs, length: 5, fx: 0 }, context);
    await expect(flat).rejects.toThrow('above 0');
  });
});

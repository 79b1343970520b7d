import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type NDArray, nd } from '../../engine/array/nd.ts';
import type { NodeContext } from '../../engine/graph/definition.ts';
import { generateTracks } from '../../nodes/video-tracks.ts';
import { expectArray } from '../support/number-pattern.ts';
import { assertLikeReference } from '../support/object-info.ts';

interface Case {
  readonly inputs: Record<string, unknown>;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** Computed by the reference (0.33). */
const reference = JSON.parse(
  readFileSync(new URL('../fixtures/tracks-0.33.json', import.meta.url), 'utf8'),
) as Record<string, Case>;

interface Tracks {
  readonly track_path: NDArray;
  readonly track_visibility: NDArray;
}
const run = async (inputs: Record<string, unknown>): Promise<[Tracks, number]> =>
  (await generateTracks.run(inputs, {} as NodeContext)) as unknown as [Tracks, number];

describe('GenerateTracks', () => {
  it('prints as the reference', () => assertLikeReference(generateTracks));

  it.each(Object.entries(reference))('goes %s', async (_, theirs) => {
    const [tracks, length] = await run(theirs.inputs);
    expectArray(tracks.track_path, theirs, 4);
    expect(length).toBe(theirs.shape[0]);
    expect(tracks.track_visibility.shape).toEqual(theirs.shape.slice(0, 2));
  });

  it('sees tracks in frames whose mask has anything', async () => {
    const track_mask = nd(Float32Array.of(0, 0, 0, 0.5), [2, 1, 2]);
    const [{ track_visibility: seen }] = await run({ ...reference.bent.inputs, track_mask });
    expect([seen.shape, [...seen.data]]).toEqual([
      [2, 1],
      [0, 1],
    ]);
  });
});

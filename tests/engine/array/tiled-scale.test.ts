import { expect, it } from 'vitest';
import { full } from '../../../engine/array/nd.ts';
import { tileCount, tiledScale } from '../../../engine/array/tiled-scale.ts';

const tiling = (tile: number, overlap: number) => ({
  ...{ tileWidth: tile, tileHeight: tile, overlap, factor: 1 },
});

it('refuses an overlap that leaves no step from tile to tile', async () => {
  const x = full([1, 1, 100, 100], 1);
  for (const overlap of [64, 65, 1000]) {
    const made = tiledScale(x, (tile) => Promise.resolve(tile), tiling(64, overlap));
    await expect(made).rejects.toThrow(/overlap of tiles: expected less than their size of 64/);
    expect(() => tileCount(100, 100, tiling(64, overlap))).toThrow(/overlap of tiles/);
  }
  // What fits one tile has no overlap.
  expect(tileCount(64, 64, tiling(64, 1000))).toBe(1);
  const whole = await tiledScale(x, (tile) => Promise.resolve(tile), tiling(64, 32));
  expect(whole.data.every((value) => Math.abs(value - 1) < 1e-5)).toBe(true);
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type NDArray, full, nd, zeros } from '../../engine/array/nd.ts';
import type { NodeContext, NodeDefinition } from '../../engine/graph/definition.ts';
import type { Conditioning } from '../../engine/sampling/conditioning.ts';
import { conditioningMultiply } from '../../nodes/conditioning.ts';
import {
  batchImages,
  batchLatents,
  batchMasks,
  imageMergeTileList,
} from '../../nodes/image-batch.ts';
import { imageBatchNodes } from '../../nodes/image-batch.ts';
import {
  colorTransfer,
  curveEditor,
  imageColourNodes,
  imageHistogram,
} from '../../nodes/image-colour.ts';
import { imageCropToMask, imageResizeNodes, resizeImageMask } from '../../nodes/image-resize.ts';
import { imageScaleNodes } from '../../nodes/image-scale.ts';
import { splitTiles, tileGrid } from '../../engine/array/tiles.ts';
import {
  latentAdvancedNodes,
  latentCutToBatch,
  replaceVideoLatentFrames,
} from '../../nodes/latent-advanced.ts';
import { assertLikeReference } from '../support/object-info.ts';
import { expectArray, pattern } from '../support/number-pattern.ts';

interface Theirs {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Case {
  readonly result: readonly Theirs[];
  readonly inputs?: { type: string; method: string; resize_type: Record<string, unknown> };
}

/** Computed by the reference (0.33) on the same patterns. */
const reference = JSON.parse(
  readFileSync(new URL('../fixtures/pictures-0.33.json', import.meta.url), 'utf8'),
) as Record<string, Case>;
const theirs = (name: string): Theirs => reference[name].result[0];

const context = { progress: () => undefined, services: {} } as unknown as NodeContext;
async function run<T = NDArray>(node: NodeDefinition, inputs: Record<string, unknown>): Promise<T> {
  return ((await node.run(inputs, context)) as T[])[0];
}

describe('picture nodes of 0.33', () => {
  const nodes = [
    ...imageResizeNodes,
    ...imageBatchNodes,
    ...imageColourNodes,
    ...imageScaleNodes,
    ...latentAdvancedNodes,
    conditioningMultiply,
  ];
  it.each(nodes.map((node) => [node.name, node] as const))(
    '%s prints as the reference',
    (_, node) => assertLikeReference(node),
  );

  it('makes batches in the size of the first', async () => {
    const images = { image0: pattern([1, 4, 5, 3]), image1: pattern([2, 6, 4, 4], 13) };
    expectArray(await run(batchImages, { images }), theirs('BatchImagesNode'));
    const masks = { mask0: pattern([1, 4, 5]), mask1: pattern([2, 3, 7], 13) };
    expectArray(await run(batchMasks, { masks }), theirs('BatchMasksNode'));
    const latents = {
      latent0: { samples: pattern([1, 4, 4, 4]) },
      latent1: { samples: pattern([2, 4, 3, 5], 13), batch_index: [5, 7] },
    };
    const batch = await run<{ samples: NDArray; batch_index: number[] }>(batchLatents, { latents });
    const expected = theirs('BatchLatentsNode') as unknown as typeof batch & { samples: Theirs };
    expectArray(batch.samples, expected.samples);
    expect(batch.batch_index).toEqual(expected.batch_index);
  });

  const resizes = Object.entries(reference).filter(([, { inputs }]) => inputs !== undefined);
  it.each(resizes)('%s', async (_, { inputs, result }) => {
    const { type, method, resize_type } = inputs!;
    const values = { ...resize_type };
    if (values.match !== undefined) values.match = pattern([1, 3, 4]);
    const input = pattern(type === 'image' ? [2, 5, 7, 3] : [2, 5, 7]);
    const ours = await run(resizeImageMask, { input, scale_method: method, resize_type: values });
    expectArray(ours, result[0]);
  });

  it('resizes masks by lanczos in 8 bits', async () => {
    const resize_type = { resize_type: 'scale dimensions', width: 9, height: 8, crop: 'disabled' };
    for (const [name, count] of [['', 1] as const, [' 3', 3] as const]) {
      const input = pattern([count, 5, 7]);
      const ours = await run(resizeImageMask, { input, scale_method: 'lanczos', resize_type });
      expectArray(ours, theirs(`Resize lanczos mask${name}`));
    }
  });

  it('refuses an unknown rule', async () => {
    const inputs = { input: pattern([1, 4, 4]), scale_method: 'area' };
    const resize_type = { resize_type: 'constructor' };
    await expect(run(resizeImageMask, { ...inputs, resize_type })).rejects.toThrow('resize_type');
  });

  const transfers = Object.keys(reference).filter((name) =>
    /^ColorTransfer \w+ \w+ [\d.]+$/.test(name),
  );
  it.each(transfers)('%s', async (name) => {
    const [, method, kind, strength] = name.split(' ');
    const ours = await run(colorTransfer, {
      image_target: pattern([2, 8, 9, 3]),
      image_ref: pattern([3, 5, 6, 3], 13),
      method,
      source_stats: { source_stats: kind, target_index: 1 },
      strength: Number(strength),
    });
    expectArray(ours, theirs(name), 4);
  });

  it('takes one reference for all frames, and needs fitting channels', async () => {
    const ref = pattern([3, 5, 6, 3], 13);
    const inputs = {
      image_target: pattern([2, 8, 9, 3]),
      image_ref: nd(ref.data.slice(0, 90), [1, 5, 6, 3]),
      method: 'mkl_lab',
      source_stats: { source_stats: 'per_frame' },
      strength: 1,
    };
    expectArray(await run(colorTransfer, inputs), theirs('ColorTransfer one reference'), 4);
    const alpha = { ...inputs, image_target: pattern([1, 4, 4, 4]) };
    await expect(run(colorTransfer, alpha)).rejects.toThrow('3 channels');
  });

  it('cuts tiles and lays them together', async () => {
    const image = pattern([1, 5, 7, 1]);
    const tiles = splitTiles(image, { tileWidth: 4, tileHeight: 3, overlap: 1 });
    const expected = theirs('SplitImageToTileList') as unknown as Theirs[];
    expect(tiles.length).toBe(expected.length);
    tiles.forEach((tile, i) => expectArray(tile, expected[i]));
    const merge = (image_list: NDArray[], overlap: number): Promise<NDArray> =>
      run(imageMergeTileList, {
        image_list,
        final_width: [7],
        final_height: [5],
        overlap: [overlap],
      });
    expectArray(await merge(tiles, 1), theirs('ImageMergeTileList'));
    expectArray(await merge(tiles.slice(0, 3), 0), theirs('ImageMergeTileList 0'));
    await expect(merge([], 0)).rejects.toThrow('at least one tile');
    const size = { width: 20, height: 9, tileWidth: 8, tileHeight: 8, overlap: 100 };
    expect(tileGrid(size).length).toBe(14);
  });

  it('crops to a mask', async () => {
    const images = pattern([1, 20, 24, 3]);
    const masks = zeros([1, 20, 24]);
    for (let y = 5; y < 12; y++) masks.data.fill(1, y * 24 + 8, y * 24 + 20);
    masks.data[13 * 24 + 3] = 0.5;
    const crop = (rest: object): Promise<NDArray> =>
      run(imageCropToMask, { images, masks, grow_mask: 0, background: '#000000', ...rest });
    const small = { width: 16, height: 12 };
    const large = { width: 32, height: 24 };
    expectArray(
      await crop({ ...small, pad_factor: 1.2, background: '#102030' }),
      theirs('ImageCropToMask'),
    );
    expectArray(
      await crop({ ...large, pad_factor: 1, grow_mask: 2 }),
      theirs('ImageCropToMask grow'),
    );
    const inverted = nd(
      masks.data.map((v) => 1 - v),
      masks.shape,
    );
    expectArray(
      await crop({
        ...large,
        masks: inverted,
        pad_factor: 1.5,
        grow_mask: -1,
        background: '#ffffff',
      }),
      theirs('ImageCropToMask shrink inverted'),
    );
    expectArray(
      await crop({ ...small, masks: full([1, 10, 12], 0.3), pad_factor: 1 }),
      theirs('ImageCropToMask empty'),
    );
    await expect(crop({ ...small, masks: zeros([2, 20, 24]), pad_factor: 1 })).rejects.toThrow(
      '1 or 1 masks',
    );
  });

  it('cuts and replaces latents', async () => {
    const samples = { samples: pattern([2, 4, 3, 4, 6]) };
    for (const [dim, slice_size] of [
      ['t', 2],
      ['x', 4],
      ['y', 9],
      ['x', 3],
    ] as const) {
      const ours = await run<{ samples: NDArray }>(latentCutToBatch, { samples, dim, slice_size });
      const expected = theirs(`LatentCutToBatch ${dim} ${slice_size}`) as unknown as {
        samples: Theirs;
      };
      expectArray(ours.samples, expected.samples);
    }
    const flat = { samples: pattern([1, 4, 4, 4]) };
    expect(await run(latentCutToBatch, { samples: flat, dim: 't', slice_size: 2 })).toBe(flat);
    const destination = { samples: pattern([1, 2, 4, 2, 2]) };
    const source = { samples: pattern([1, 2, 2, 2, 2], 13) };
    const replace = (index: number) =>
      run<{ samples: NDArray }>(replaceVideoLatentFrames, { destination, source, index });
    const expected = theirs('ReplaceVideoLatentFrames') as unknown as { samples: Theirs };
    expectArray((await replace(-3)).samples, expected.samples);
    expect(await replace(3)).toBe(destination);
  });

  it('scales conditioning', async () => {
    const entry = { cross: pattern([1, 2, 3]), pooled: pattern([1, 3], 13) };
    const inputs = { conditioning: [entry], multiplier: -1.7 };
    const [ours] = await run<Conditioning>(conditioningMultiply, inputs);
    const [[cross, { pooled_output }]] = theirs('ConditioningMultiply') as unknown as [
      [Theirs, { pooled_output: Theirs }],
    ];
    expectArray(ours.cross, cross);
    expectArray(ours.pooled!, pooled_output);
  });

  it('counts levels and keeps curves', async () => {
    const counts = await imageHistogram.run({ image: pattern([1, 9, 8, 3]) }, context);
    expect(counts).toEqual(reference.ImageHistogram.result);
    const curve = {
      points: [
        [1, 0.5],
        [0, 0],
      ],
      interpolation: 'spline',
    };
    expect(curveEditor.run({ curve, histogram: [1, 2] }, context)).toEqual({
      result: [
        {
          points: [
            [0, 0],
            [1, 0.5],
          ],
          interpolation: 'monotone_cubic',
        },
      ],
      ui: { histogram: [1, 2] },
    });
    expect(() => curveEditor.run({ curve: { points: [1] } }, context)).toThrow('points');
  });
});

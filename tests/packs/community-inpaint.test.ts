/**
 * Inpaint Crop & Stitch of the community pack. The numbers were computed by the pack's own nodes on torch,
 * Pillow and scipy: shapes and Σ v·(i mod 7 + 1).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inpaintCropNodes } from '../../custom_nodes/community/inpaint-crop.ts';
import { filledByBrightness } from '../../custom_nodes/community/fill-holes.ts';
import { map } from '../../engine/array/elementwise.ts';
import { type NDArray, nd, zeros } from '../../engine/array/nd.ts';
import { pattern } from '../support/number-pattern.ts';

type Digest = readonly [shape: readonly number[], sum: number];
type Box = readonly [x: number, y: number, width: number, height: number, value: number];
interface Case {
  readonly boxes: readonly Box[];
  readonly context: readonly Box[] | null;
  readonly inputs: Record<string, unknown>;
  readonly image: Digest;
  /** Bytes in base64. */
  readonly mask: readonly [shape: readonly number[], bytes: string];
  readonly stitched: Digest;
}

const reference = JSON.parse(
  readFileSync(new URL('../fixtures/community/inpaint-crop.json', import.meta.url), 'utf8'),
) as Record<string, Case>;

const [crop, stitch] = inpaintCropNodes;
const context = { progress: () => undefined } as never;

const SHARED = {
  downscale_algorithm: 'bilinear',
  upscale_algorithm: 'bicubic',
  preresize: false,
  preresize_mode: 'ensure minimum resolution',
  preresize_min_width: 64,
  preresize_min_height: 64,
  preresize_max_width: 16384,
  preresize_max_height: 16384,
  extend_for_outpainting: false,
  extend_up_factor: 1,
  extend_down_factor: 1,
  extend_left_factor: 1,
  extend_right_factor: 1,
  mask_hipass_filter: 0.1,
  mask_fill_holes: true,
  mask_expand_pixels: 0,
  mask_invert: false,
  mask_blend_pixels: 8,
  context_from_mask_extend_factor: 1.2,
  output_resize_to_target_size: true,
  output_target_width: 32,
  output_target_height: 40,
  output_padding: '8',
};

function drawn(boxes: readonly Box[]): NDArray {
  const out = zeros([1, 48, 64]);
  for (const [left, top, width, height, value] of boxes) {
    for (let y = top; y < top + height; y++) {
      out.data.fill(value, y * 64 + left, y * 64 + left + width);
    }
  }
  return out;
}

/** The shape, and how far the weighed means are apart. */
function expectLike({ shape, data }: NDArray, [theirs, sum]: Digest, within = 5e-6): void {
  expect(shape).toEqual(theirs);
  const own = data.reduce((total, v, i) => total + v * ((i % 7) + 1), 0);
  expect(Math.abs(own - sum) / (4 * data.length)).toBeLessThan(within);
}

/** Masks go through 8 bits, cut: whether a blur ends in 1 or a hair below is a level. */
const LEVEL = 1 / 255;

function expectBytes({ shape, data }: NDArray, [theirs, base64]: Case['mask']): void {
  expect(shape).toEqual(theirs);
  const bytes = Buffer.from(base64, 'base64');
  const worst = data.reduce((most, v, i) => Math.max(most, Math.abs(v - bytes[i] / 255)), 0);
  // What is not scaled stays a float here.
  expect(worst).toBeLessThan(1.51 * LEVEL);
}

const cut = (inputs: Record<string, unknown>) =>
  crop.run({ image: pattern([1, 48, 64, 3]), ...SHARED, ...inputs }, context) as Promise<
    [unknown, NDArray, NDArray]
  >;

describe('Inpaint Crop & Stitch', () => {
  it.each(Object.entries(reference))('%s', async (_, theirs) => {
    const [stitcher, image, mask] = await cut({
      mask: drawn(theirs.boxes),
      optional_context_mask: theirs.context ? drawn(theirs.context) : undefined,
      ...theirs.inputs,
    });
    expectLike(image, theirs.image);
    expectBytes(mask, theirs.mask);
    const inpainted_image = map(image, (v) => 1 - v);
    const [whole] = (await stitch.run({ stitcher, inpainted_image }, context)) as [NDArray];
    expectLike(whole, theirs.stitched, LEVEL / 2);
  });

  it('cuts a batch by one mask, and one picture by many', async () => {
    const image = pattern([2, 48, 64, 3]);
    const one = drawn([[5, 5, 9, 9, 1]]);
    const [stitcher, cuts] = await cut({ image, mask: one });
    expect(cuts.shape).toEqual([2, 40, 32, 3]);
    const [whole] = (await stitch.run({ stitcher, inpainted_image: cuts }, context)) as [NDArray];
    expect(whole.shape).toEqual([2, 48, 64, 3]);
    const two = nd(Float32Array.from([...one.data, ...one.data]), [2, 48, 64]);
    expect((await cut({ mask: two }))[1].shape[0]).toBe(2);
    const single = (await cut({ mask: one }))[0];
    const many = await stitch.run({ stitcher: single, inpainted_image: cuts }, context);
    expect((many as [NDArray])[0].shape[0]).toBe(2);
    const short = {
      stitcher: (await cut({ mask: two }))[0],
      inpainted_image: pattern([3, 8, 8, 3]),
    };
    await expect(async () => stitch.run(short, context)).rejects.toThrow('expected 2 pictures');
  });

  it('says what does not fit', async () => {
    const refused = (inputs: Record<string, unknown>, message: string) =>
      expect(async () => cut(inputs)).rejects.toThrow(message);
    await refused({ mask: pattern([1, 8, 8]) }, 'mask: expected the size of the picture, 64 x 48');
    expect((await cut({ mask: zeros([1, 8, 8]) }))[1].shape).toEqual([1, 40, 32, 3]);
    const batch = { image: pattern([2, 48, 64, 3]) };
    await refused({ ...batch, mask: zeros([3, 48, 64]) }, 'expected 1 or 2 masks, got 3');
    await refused({ ...batch, output_resize_to_target_size: false }, 'must be on');
    const both = {
      preresize: true,
      preresize_mode: 'ensure minimum and maximum resolution',
      preresize_min_height: 100,
      preresize_max_width: 60,
    };
    await refused(both, 'within both limits');
    const nothing = {
      extend_for_outpainting: true,
      extend_up_factor: 0.1,
      extend_down_factor: 0.1,
    };
    await refused(nothing, 'nothing of the picture');
  });

  it('fills holes no brighter than their walls', () => {
    const ring = drawn([
      [10, 10, 9, 9, 0.6],
      [12, 12, 4, 4, 0.2],
    ]);
    expect(filledByBrightness(ring).data[13 * 64 + 13]).toBeCloseTo(0.6);
  });
});

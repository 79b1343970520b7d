/** Inpaint Crop & Stitch (lquesada): what a mask covers cut out with its surroundings, and put back after inpainting. */
import {
  boolean,
  combo,
  concat,
  cropImage,
  cropPlanes,
  float,
  image,
  int,
  map,
  mask,
  optional,
  repeatToBatch,
  rows,
  socket,
  zeros,
} from 'noodle/node';
import type { ByteFilter, Image, InputValues, Mask, NodeDefinition, Rectangle } from 'noodle/node';
import { MAX_RESOLUTION, inCategory } from './define.ts';
import { filledByBrightness } from './fill-holes.ts';
import {
  blurred,
  contextArea,
  cutOut,
  expanded,
  fitted,
  outpainted,
  preresized,
  scaledImage,
  scaledMask,
} from './inpaint-layers.ts';
import type { Filters, Layers, PreresizeMode, Size } from './inpaint-layers.ts';

const define = inCategory('inpaint');

const FILTERS = ['nearest', 'bilinear', 'bicubic', 'lanczos', 'box', 'hamming'] as const;
const MODES = [
  'ensure minimum resolution',
  'ensure maximum resolution',
  'ensure minimum and maximum resolution',
] as const satisfies readonly PreresizeMode[];
const PADDINGS = ['0', '8', '16', '32', '64', '128', '256', '512'] as const;

const side = (value: number, min = 0) => int({ default: value, min, max: MAX_RESOLUTION, step: 1 });
const factor = () => float({ default: 1, min: 0.01, max: 100, step: 0.01 });

/** One picture that was cut: what stitching needs. */
interface Piece {
  /** The picture, larger where the cut reaches beyond it. */
  readonly canvas: Image;
  /** Where the picture lies in the canvas. */
  readonly picture: Rectangle;
  /** Where the cut lies in the canvas. */
  readonly cut: Rectangle;
  readonly blend: Mask;
}

/** STITCHER. */
interface Stitcher extends Filters {
  readonly pieces: readonly Piece[];
}

/** What the original calls upscaling: one side grows. */
const filterOf = (from: Size, to: Size, { down, up }: Filters): ByteFilter =>
  to.width > from.width || to.height > from.height ? up : down;

/** A mask of the picture's size, as many as there are pictures; plain black ones may have any size. */
function maskFor(images: Image, given: Mask | undefined, name: string): Mask {
  const [count, h, w] = images.shape;
  if (given === undefined) return zeros([count, h, w]);
  const fits = given.shape[1] === h && given.shape[2] === w;
  if (!fits && given.data.some((v) => v !== 0)) {
    const got = given.shape.slice(1).reverse().join(' x ');
    throw new RangeError(`${name}: expected the size of the picture, ${w} x ${h}, got ${got}`);
  }
  const mask = fits ? given : zeros([given.shape[0], h, w]);
  if (mask.shape[0] !== 1 && mask.shape[0] !== count) {
    throw new RangeError(`${name}: expected 1 or ${count} masks, got ${mask.shape[0]}`);
  }
  return repeatToBatch(mask, count);
}

const cropInputs = {
  image: image(),
  downscale_algorithm: combo(FILTERS, { default: 'bilinear' }),
  upscale_algorithm: combo(FILTERS, { default: 'bicubic' }),
  preresize: boolean({ default: false }),
  preresize_mode: combo(MODES, { default: MODES[0] }),
  preresize_min_width: side(1024),
  preresize_min_height: side(1024),
  preresize_max_width: side(MAX_RESOLUTION),
  preresize_max_height: side(MAX_RESOLUTION),
  mask_fill_holes: boolean({ default: true }),
  mask_expand_pixels: side(0),
  mask_invert: boolean({ default: false }),
  mask_blend_pixels: int({ default: 32, min: 0, max: 64, step: 1 }),
  mask_hipass_filter: float({ default: 0.1, min: 0n, max: 1n, step: 0.01 }),
  extend_for_outpainting: boolean({ default: false }),
  extend_up_factor: factor(),
  extend_down_factor: factor(),
  extend_left_factor: factor(),
  extend_right_factor: factor(),
  context_from_mask_extend_factor: float({ default: 1.2, min: 1, max: 100, step: 0.01 }),
  output_resize_to_target_size: boolean({ default: true }),
  output_target_width: side(512, 64),
  output_target_height: side(512, 64),
  output_padding: combo(PADDINGS, { default: '32' }),
  // Later than the others; which device computes is not asked here.
  device_mode: optional(
    combo(['cpu (compatible)', 'gpu (much faster)'] as const, { default: 'gpu (much faster)' }),
  ),
  mask: optional(mask()),
  optional_context_mask: optional(mask()),
};

type CropInputs = InputValues<typeof cropInputs>;

const crop = define({
  name: 'InpaintCropImproved',
  displayName: '✂️ Inpaint Crop (Improved)',
  description:
    'Cuts a picture around a mask for inpainting; the context mask says what else must be seen.',
  inputs: cropInputs,
  outputs: [
    { type: 'STITCHER', name: 'stitcher' },
    { type: 'IMAGE', name: 'cropped_image' },
    { type: 'MASK', name: 'cropped_mask' },
  ],
  run(inputs, context) {
    const count = Math.max(inputs.image.shape[0], inputs.mask?.shape[0] ?? 1);
    const isOne = inputs.image.shape[0] === 1;
    const images = isOne ? repeatToBatch(inputs.image, count) : inputs.image;
    const all = images.shape[0];
    if (all > 1 && !inputs.output_resize_to_target_size) {
      throw new RangeError('output_resize_to_target_size must be on for more than one picture');
    }
    const masks = maskFor(images, inputs.mask, 'mask');
    const contexts = maskFor(images, inputs.optional_context_mask, 'optional_context_mask');
    const done = Array.from({ length: all }, (_, i) => {
      context.progress(i, all);
      const [image, mask, seen] = [images, masks, contexts].map((x) => rows(x, i, i + 1));
      return cropOne({ image, mask, context: seen }, inputs);
    });
    const stitcher: Stitcher = {
      down: inputs.downscale_algorithm,
      up: inputs.upscale_algorithm,
      pieces: done.map(({ piece }) => piece),
    };
    return [stitcher, concat(done.map(({ image }) => image)), concat(done.map(({ mask }) => mask))];
  },
});

/** What the mask becomes before anything is cut: without holes, larger, inverted, soft, without its faint parts. */
function prepared({ image, mask, context }: Layers, inputs: CropInputs): Layers {
  const { mask_blend_pixels: blend, mask_hipass_filter: least } = inputs;
  let now = inputs.mask_fill_holes ? filledByBrightness(mask) : mask;
  if (inputs.mask_expand_pixels > 0) now = expanded(now, inputs.mask_expand_pixels);
  if (inputs.mask_invert) now = map(now, (v) => 1 - v);
  if (blend > 0) now = blurred(expanded(now, blend), blend * 0.5);
  if (least < 0.01) return { image, mask: now, context };
  const loud = (x: Mask): Mask => map(x, (v) => (v < Math.fround(least) ? 0 : v));
  return { image, mask: loud(now), context: loud(context) };
}

/** One picture cut around its mask. */
function cropOne(layers: Layers, inputs: CropInputs): { piece: Piece; image: Image; mask: Mask } {
  const filters = { down: inputs.downscale_algorithm, up: inputs.upscale_algorithm };
  const limits = {
    mode: inputs.preresize_mode,
    least: { width: inputs.preresize_min_width, height: inputs.preresize_min_height },
    most: { width: inputs.preresize_max_width, height: inputs.preresize_max_height },
  };
  let now = prepared(inputs.preresize ? preresized(layers, limits, filters) : layers, inputs);
  if (inputs.extend_for_outpainting) {
    const { extend_up_factor: up, extend_down_factor: down } = inputs;
    const { extend_left_factor: left, extend_right_factor: right } = inputs;
    now = outpainted(now, { up, down, left, right });
  }
  const area = contextArea(now, inputs.context_from_mask_extend_factor);
  const scales = inputs.output_resize_to_target_size;
  const wanted = scales
    ? { width: inputs.output_target_width, height: inputs.output_target_height }
    : area;
  const multiple = Number(inputs.output_padding) || 1;
  const whole = (size: number): number => Math.ceil(size / multiple) * multiple;
  const target = { width: whole(wanted.width), height: whole(wanted.height) };
  const { mask, ...place } = cutOut(now, fitted(area, target, now.image.shape.slice(1), scales));
  const cut = { image: cropImage(place.canvas, place.cut), mask: cropPlanes(mask, place.cut) };
  const filter = filterOf(place.cut, target, filters);
  const made = scales
    ? { image: scaledImage(cut.image, target, filter), mask: scaledMask(cut.mask, target, filter) }
    : cut;
  const { mask_blend_pixels: blend } = inputs;
  return {
    piece: { ...place, blend: blend > 0 ? blurred(made.mask, blend * 0.5) : made.mask },
    ...made,
  };
}

/** The cut as it was made anew, in its place in the picture; what the mask leaves out stays as it was. */
function stitched(piece: Piece, inpainted: Image, filters: Filters): Image {
  const { canvas, picture, cut, blend } = piece;
  const [, height, width, c] = inpainted.shape;
  const filter = filterOf({ width, height }, cut, filters);
  const image = scaledImage(inpainted, cut, filter);
  const mask = scaledMask(blend, cut, filter);
  const out = cropImage(canvas, picture);
  const [, , w, channels] = out.shape;
  for (let y = 0; y < cut.height; y++) {
    for (let x = 0; x < cut.width; x++) {
      const [row, column] = [cut.top + y - picture.top, cut.left + x - picture.left];
      if (row < 0 || row >= picture.height || column < 0 || column >= picture.width) continue;
      const from = y * cut.width + x;
      const to = (row * w + column) * channels;
      const weight = mask.data[from];
      for (let k = 0; k < channels; k++) {
        const made = image.data[from * c + Math.min(k, c - 1)];
        out.data[to + k] = weight * made + (1 - weight) * out.data[to + k];
      }
    }
  }
  return out;
}

const stitch = define({
  name: 'InpaintStitchImproved',
  displayName: '✂️ Inpaint Stitch (Improved)',
  description: 'Puts an inpainted cut back into the picture that it was cut from.',
  inputs: {
    stitcher: socket<Stitcher>('STITCHER', undefined, ['pieces']),
    inpainted_image: image(),
  },
  outputs: [{ type: 'IMAGE', name: 'image' }],
  run({ stitcher, inpainted_image }) {
    const count = inpainted_image.shape[0];
    const { pieces } = stitcher;
    if (pieces.length !== 1 && pieces.length !== count) {
      throw new RangeError(`inpainted_image: expected ${pieces.length} pictures, got ${count}`);
    }
    const all = Array.from({ length: count }, (_, i) =>
      stitched(pieces[i] ?? pieces[0], rows(inpainted_image, i, i + 1), stitcher),
    );
    return [concat(all)];
  },
});

export const inpaintCropNodes: readonly NodeDefinition[] = [crop, stitch];

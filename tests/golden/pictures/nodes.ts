/** Which node a case runs and with which inputs: one row per operation of the golden files. */
import type { NDArray } from '../../../engine/array/nd.ts';
import { full, nd } from '../../../engine/array/nd.ts';
import { resizeMask } from '../../../engine/array/resize.ts';
import { tiledScale } from '../../../engine/array/tiled-scale.ts';
import type { NodeDefinition } from '../../../engine/graph/definition.ts';
import { latentFormat } from '../../../engine/sampling/latent/formats.ts';
import { processIn, processOut } from '../../../engine/sampling/latent/process.ts';
import { latentPreview } from '../../../engine/sampling/latent/preview.ts';
import type { Latent } from '../../../engine/values/media.ts';
import * as image from '../../../nodes/image.ts';
import * as filters from '../../../nodes/image-filters.ts';
import * as latent from '../../../nodes/latent.ts';
import * as operations from '../../../nodes/latent-operations.ts';
import * as mask from '../../../nodes/mask.ts';
import { setLatentNoiseMask } from '../../../nodes/vae.ts';
import type { Comparison } from '../area.ts';
import { check, checkIndex, operand, type Params, type PictureCase, runNode } from './run-node.ts';

type Runner = (golden: PictureCase) => Promise<Comparison[]>;

/** Every output key with its parameters; keys that another key's run also produces are left out. */
function each(
  run: (key: string, params: Params, golden: PictureCase) => Promise<Comparison[]>,
): Runner {
  return async (golden) => {
    const results: Comparison[] = [];
    for (const [key, params] of Object.entries(golden.params.outputs)) {
      results.push(...(await run(key, params, golden)));
    }
    return results;
  };
}

/** A node whose first result is the output; `inputs` adds the operands to the parameters. */
function single(
  node: NodeDefinition,
  inputs: (golden: PictureCase, params: Params) => Record<string, unknown>,
): Runner {
  return each(async (key, params, golden) => {
    const [result] = await runNode(node, { ...params, ...inputs(golden, params) });
    return [check(golden, key, samplesOf(result))];
  });
}

/** The array of a latent, or the value itself. */
const samplesOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'samples' in value ? value.samples : value;

const named = (golden: PictureCase, name: unknown): NDArray | undefined =>
  typeof name === 'string' ? operand(golden, name) : undefined;
const samples = (golden: PictureCase) => ({ samples: { samples: golden.array('in.samples') } });
const picture = (golden: PictureCase, params: Params) => ({
  image: named(golden, params['image']) ?? golden.array('in.image'),
});

const arithmeticNodes: Readonly<Record<string, NodeDefinition>> = {
  LatentAdd: latent.latentAdd,
  LatentSubtract: latent.latentSubtract,
  LatentMultiply: latent.latentMultiply,
  LatentInterpolate: latent.latentInterpolate,
  LatentBlend: latent.latentBlend,
  LatentBatch: latent.latentBatch,
  LatentConcat: latent.latentConcat,
  LatentCut: latent.latentCut,
};

/** `a`, or `c with batch_index [4,7]`, as a latent. */
function latentOperand(golden: PictureCase, text: unknown): Latent | undefined {
  if (typeof text !== 'string') return undefined;
  const [name, index] = text.split(' with batch_index ');
  const value = { samples: operand(golden, name) };
  return index ? { ...value, batch_index: JSON.parse(index) as number[] } : value;
}

/** Operands that the file leaves to the letters of its key, e.g. `batch_ac`. */
function byLetters(golden: PictureCase, key: string): [Latent, Latent] {
  const letters = /_([a-z])([a-z])(?:_|$)/.exec(key)?.slice(1) ?? ['a', 'b'];
  const [first, second] = letters.map((letter) => {
    const name = golden.names.find((n) => n === `in.${letter}` || n.startsWith(`in.${letter}_`));
    return { samples: golden.array(name ?? `in.${letter}`) };
  });
  return [first, second];
}

const latentArithmetic = each(async (key, params, golden) => {
  const node = arithmeticNodes[String(params['node'])];
  const [first, second] = byLetters(golden, key);
  const inputs = {
    ...params,
    samples: latentOperand(golden, params['samples']) ?? first,
    samples1: latentOperand(golden, params['samples1']) ?? first,
    samples2: latentOperand(golden, params['samples2']) ?? second,
  };
  const [result] = (await runNode(node, inputs)) as [Latent];
  return [
    check(golden, key, result.samples),
    ...('batch_index' in params
      ? [checkIndex(key, result.batch_index, params['batch_index'])]
      : []),
  ];
});

const transformNodes: Readonly<Record<string, NodeDefinition>> = {
  crop: latent.latentCrop,
  flip: latent.latentFlip,
  rotate: latent.latentRotate,
  frombatch: latent.latentFromBatchNode,
  repeat: latent.repeatLatentBatch,
  seed: latent.latentBatchSeedBehavior,
  set: setLatentNoiseMask,
};

const latentTransforms = each(async (key, params, golden) => {
  if (key.endsWith('_plain_mask') || key.endsWith('_inds_mask')) return [];
  const kind = key.slice('out.'.length).split('_')[0];
  const index = params['in_batch_index'] as number[] | null | undefined;
  const withMask = kind === 'frombatch' || kind === 'repeat';
  const value: Latent = {
    samples: golden.array('in.samples'),
    ...(withMask ? { noise_mask: golden.array('in.noise_mask_b3') } : {}),
    ...(index ? { batch_index: index } : {}),
  };
  const inputs = { ...params, samples: value, mask: golden.optional('in.mask_2d') };
  const [result] = (await runNode(transformNodes[kind], inputs)) as [Latent];
  if (kind === 'set') return [check(golden, key, result.noise_mask)];
  const results = kind === 'seed' ? [] : [check(golden, key, result.samples)];
  if (golden.has(`${key}_mask`)) results.push(check(golden, `${key}_mask`, result.noise_mask));
  if ('out_batch_index' in params) {
    results.push(checkIndex(key, result.batch_index, params['out_batch_index']));
  }
  return results;
});

const latentOperations = each(async (key, params, golden) => {
  const node = key.startsWith('out.tonemap')
    ? operations.latentOperationTonemapReinhard
    : operations.latentOperationSharpen;
  const [operation] = await runNode(node, params);
  const inputs = { ...samples(golden), operation };
  const [result] = await runNode(operations.latentApplyOperation, inputs);
  return [check(golden, key, samplesOf(result))];
});

const rebatch: Runner = async (golden) => {
  const outputs = Object.entries(golden.params.outputs).filter(([key]) => !key.endsWith('_mask'));
  const latents = golden.names
    .filter((name) => /^in\.l\d+$/.test(name))
    .map((name): Latent => {
      const noise = golden.optional(`${name}_noise_mask`);
      return { samples: golden.array(name), ...(noise ? { noise_mask: noise } : {}) };
    });
  // Only the last latent brings indices of its own, and they come out unchanged.
  const indices = outputs.flatMap(([, params]) => params['out_batch_index'] as number[]);
  const last = latents[latents.length - 1];
  const own = indices.slice(indices.length - last.samples.shape[0]);
  latents[latents.length - 1] = { ...last, batch_index: own };
  const [batches] = (await runNode(latent.rebatchLatentsNode, {
    latents,
    batch_size: [golden.params['batch_size']],
  })) as [Latent[]];
  return outputs.flatMap(([key, params]) => {
    const batch = batches[Number(key.slice('out.'.length))];
    const noise = batch.noise_mask;
    return [
      check(golden, key, batch.samples),
      checkIndex(key, batch.batch_index, params['out_batch_index']),
      params['has_mask']
        ? check(golden, `${key}_mask`, noise ?? full([0], 0))
        : checkIndex(`${key} mask`, noise ? [1] : [], []),
    ];
  });
};

const imageBatches = each(async (key, params, golden) => {
  const [i1, i2] = [golden.array('in.i1'), golden.array('in.i2')];
  const kind = key.slice('out.'.length).split('_')[0];
  if (kind === 'rebatch') {
    const item = Number(key.split('_').at(-1));
    const inputs = { images: [i1, i2], batch_size: [params['batch_size']] };
    const [batches] = (await runNode(image.rebatchImages, inputs)) as [NDArray[]];
    return [check(golden, key, batches[item])];
  }
  const [result] =
    kind === 'batch'
      ? await runNode(image.imageBatch, {
          image1: i1,
          image2: key.endsWith('other_size') ? golden.array('in.i3_other_size') : i2,
        })
      : await runNode(kind === 'repeat' ? image.repeatImageBatch : image.imageFromBatch, {
          ...params,
          image: kind === 'repeat' ? repeatSource(golden, key) : i1,
        });
  return [check(golden, key, result)];
});

/** RepeatImageBatch says only how often; its source is the input whose batch fits. */
function repeatSource(golden: PictureCase, key: string): NDArray {
  const amount = Number(golden.params.outputs[key]['amount']);
  const [count] = golden.array(key).shape;
  const inputs = ['in.i1', 'in.i2', 'in.i3_other_size'].map((name) => golden.array(name));
  return inputs.find((x) => x.shape[0] * amount === count) ?? inputs[0];
}

const simpleNodes: Readonly<Record<string, NodeDefinition>> = {
  add: image.imageAddNoise,
  crop: image.imageCrop,
  empty: image.emptyImage,
  flip: image.imageFlip,
  invert: image.imageInvert,
  join: mask.joinImageWithAlpha,
  rotate: image.imageRotate,
  split: mask.splitImageWithAlpha,
};

const imageSimple = each(async (key, params, golden) => {
  const [kind, ...rest] = key.slice('out.'.length).split('_');
  const isRgba = rest.includes('rgba') || (kind === 'split' && !rest.includes('rgb'));
  const results = await runNode(simpleNodes[kind], {
    ...params,
    ...(typeof params['seed'] === 'string' ? { seed: BigInt(params['seed']) } : {}),
    image: golden.array(isRgba ? 'in.image_rgba' : 'in.image'),
    alpha: golden.array('in.alpha_mask'),
  });
  return [check(golden, key, results[kind === 'split' && rest.at(-1) === 'mask' ? 1 : 0])];
});

const maskNodes: readonly (readonly [prefix: string, node: NodeDefinition])[] = [
  ['color_to_mask', mask.imageColorToMask],
  ['composite', mask.maskComposite],
  ['crop', mask.cropMask],
  ['feather', mask.featherMaskNode],
  ['grow', mask.growMaskNode],
  ['image_to_mask', mask.imageToMask],
  ['invert', mask.invertMask],
  ['mask_to_image', mask.maskToImageNode],
  ['solid', mask.solidMask],
  ['threshold', mask.thresholdMask],
];

const masks = each(async (key, params, golden) => {
  const row = maskNodes.find(([prefix]) => key.startsWith(`out.${prefix}`));
  if (!row) throw new Error(`${key}: no such mask node`);
  const [result] = await runNode(row[1], {
    ...params,
    image: golden.array('in.image'),
    mask: named(golden, params['mask']) ?? golden.array('in.m1'),
    destination: named(golden, params['destination']),
    source: named(golden, params['source']),
  });
  return [check(golden, key, result)];
});

const porterDuff = each(async (key, params, golden) => {
  if (key.endsWith('_mask')) return [];
  const [result, alpha] = await runNode(mask.porterDuffImageComposite, {
    mode: params['mode'],
    source: named(golden, params['source'] ?? 'source'),
    source_alpha: named(golden, params['source_alpha'] ?? 'source_alpha'),
    destination: golden.array('in.destination'),
    destination_alpha: golden.array('in.destination_alpha'),
  });
  return [check(golden, key, result), check(golden, `${key}_mask`, alpha)];
});

const outpaint = each(async (key, params, golden) => {
  if (!key.endsWith('_image')) return [];
  const inputs = { ...params, image: golden.array('in.image') };
  const [padded, region] = await runNode(image.imagePadForOutpaint, inputs);
  return [check(golden, key, padded), check(golden, key.replace(/_image$/, '_mask'), region)];
});

const yuv: Runner = async (golden) => {
  const [Y, U, V] = await runNode(filters.imageRgbToYuv, { image: golden.array('in.image') });
  const [back] = await runNode(filters.imageYuvToRgb, { Y, U, V });
  return Object.entries({ 'out.Y': Y, 'out.U': U, 'out.V': V, 'out.back': back }).map(
    ([key, got]) => check(golden, key, got),
  );
};

/** The file keeps the first of Canny's three equal channels. */
const canny = each(async (key, params, golden) => {
  const [edges] = await runNode(filters.cannyNode, { ...params, ...picture(golden, params) });
  const [alone] = await runNode(mask.imageToMask, { image: edges, channel: 'red' });
  const first = alone as NDArray;
  return [check(golden, key, nd(first.data, [...first.shape, 1]))];
});

const blur = each(async (key, params, golden) => {
  const node = key.startsWith('out.blur') ? filters.imageBlur : filters.imageSharpen;
  const [result] = await runNode(node, { ...params, image: golden.array('in.image') });
  return [check(golden, key, result)];
});

/** The function of the file: twice as large (or half), plus the mean of the tile. */
const tiled = each(async (key, params, golden) => {
  const p = params as Record<'tile_x' | 'tile_y' | 'overlap' | 'upscale_amount', number>;
  const down = params['downscale'] === true;
  const factor = down ? 1 / p.upscale_amount : p.upscale_amount;
  const work = (tile: NDArray): Promise<NDArray> => {
    const [, c, h, w] = tile.shape;
    const mean = tile.data.reduce((sum, v) => sum + v, 0) / tile.data.length;
    const scaled = resizeMask(
      nd(tile.data, [c, h, w]),
      Math.round(w * factor),
      Math.round(h * factor),
      down ? 'area' : 'nearest-exact',
    );
    return Promise.resolve(
      nd(
        scaled.data.map((v) => v + mean),
        [1, ...scaled.shape],
      ),
    );
  };
  const tiling = { tileWidth: p.tile_x, tileHeight: p.tile_y, overlap: p.overlap, factor };
  const x = golden.array(down ? 'in.samples_even' : 'in.samples');
  return [check(golden, key, await tiledScale(x, work, tiling))];
});

const formats = each(async (key, _, golden) => {
  const [, name, kind] = /^out\.(.*?)_(in|out|preview_u8)$/.exec(key) ?? [];
  const x = golden.array(`in.${name}`);
  // The common ancestor of all formats scales nothing.
  if (name === 'LatentFormat') return [check(golden, key, x)];
  const format = latentFormat(name);
  if (kind !== 'preview_u8') {
    return [check(golden, key, kind === 'in' ? processIn(format, x) : processOut(format, x))];
  }
  const preview = latentPreview(format, x);
  const got = preview && { data: preview.rgb, shape: [preview.height, preview.width, 3] };
  return [check(golden, key, got ?? full([0], 0))];
});

/** Operation of a file's metadata -> how its cases run. */
export const pictureOperations: Readonly<Record<string, Runner>> = {
  LatentUpscale: single(latent.latentUpscale, samples),
  LatentUpscaleBy: single(latent.latentUpscaleBy, samples),
  LatentComposite: single(latent.latentComposite, (golden) => ({
    samples_to: { samples: golden.array('in.samples_to') },
    samples_from: { samples: golden.array('in.samples_from') },
  })),
  LatentCompositeMasked: single(latent.latentCompositeMasked, (golden, params) => ({
    destination: { samples: golden.array('in.destination') },
    source: { samples: golden.array('in.source') },
    mask: named(golden, params['mask']),
  })),
  'LatentAdd/Subtract/Multiply/Interpolate/Blend/Batch/Concat/Cut': latentArithmetic,
  'LatentCrop/Flip/Rotate/FromBatch/Repeat': latentTransforms,
  'LatentOperationTonemapReinhard / Sharpen': latentOperations,
  RebatchLatents: rebatch,
  ImageScale: single(image.imageScale, picture),
  ImageScaleBy: single(image.imageScaleBy, picture),
  ImageScaleToMaxDimension: single(image.imageScaleToMaxDimension, picture),
  ImageScaleToTotalPixels: single(image.imageScaleToTotalPixels, picture),
  ResizeAndPadImage: single(image.resizeAndPadImage, picture),
  ImageCompositeMasked: single(image.imageCompositeMasked, (golden, params) => ({
    destination: golden.array('in.destination'),
    source: named(golden, params['source'] ?? 'source'),
    mask: named(golden, params['mask']),
    resize_source: params['resize_source'] ?? false,
  })),
  ImageBlend: single(filters.imageBlend, (golden, params) => ({
    image1: named(golden, params['image1']),
    image2: named(golden, params['image2']),
    blend_mode: params['blend_mode'] ?? 'normal',
  })),
  'ImageBlur / ImageSharpen': blur,
  ImageQuantize: single(filters.imageQuantize, picture),
  ImageStitch: single(image.imageStitch, (golden, params) => ({
    image1: named(golden, params['image1']),
    image2: named(golden, params['image2']),
  })),
  ImagePadForOutpaint: outpaint,
  Morphology: single(filters.morphologyNode, picture),
  'ImageRGBToYUV / ImageYUVToRGB': yuv,
  Canny: canny,
  'RebatchImages/RepeatImageBatch/ImageFromBatch/ImageBatch': imageBatches,
  'ImageInvert/Crop/Flip/Rotate/EmptyImage/AddNoise/Alpha': imageSimple,
  'mask nodes': masks,
  PorterDuffImageComposite: porterDuff,
  'comfy.utils.tiled_scale': tiled,
  'latent_format.process_in / process_out': formats,
};

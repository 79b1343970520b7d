/** What inpaint and instruct models and upscalers are fed on channels behind the noisy latent. */
import { concat, sliceAxis } from '../array/batch.ts';
import { axpby, map, scale, weightedSum } from '../array/elementwise.ts';
import { type NDArray, full, nd, reshape, sizeOf, zeros } from '../array/nd.ts';
import { roundHalfEven } from '../array/round.ts';
import type { ExtraChannels } from '../arch/family.ts';
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import type { LatentFormat } from '../sampling/latent/formats.ts';
import { processIn } from '../sampling/latent/process.ts';
import type { CondTensor, ConditioningRun } from '../sampling/model.ts';
import { TorchGenerator } from '../sampling/noise/torch-generator.ts';
import { lowResolution } from './low-resolution.ts';
import { fit, resizeBatch } from './resize-condition.ts';

/** A grey picture in SD1's latent units: what an inpaint model sees when nothing was masked. */
const blankPicture = [0.8223, -0.6876, 0.6364, 0.138];

type Entry = Pick<ConditioningEntry, 'concatLatent' | 'concatMask' | 'extra'>;

type Tensors = Readonly<Record<string, CondTensor>>;

const kinds: Readonly<
  Record<ExtraChannels, (entry: Entry, run: ConditioningRun, format: LatentFormat) => Tensors>
> = {
  none: () => ({}),
  inpaint: (entry, run, format) => channels(inpaintChannels(entry, run, format)),
  'inpaint-pixels': (entry, run, format) => channels(maskedPicture(entry, run, format)),
  instruct: (entry, run) => channels(pictureToChange(entry, run)),
  'instruct-scaled': (entry, run, format) =>
    channels(processIn(format, pictureToChange(entry, run))),
  'instruct-noised': (entry, run, format) => channels(noisedPicture(entry, run, format)),
  'low-resolution': ({ extra = {} }, run) => {
    const { picture, level } = lowResolution(extra, run);
    const row = { data: Float32Array.of(level), shape: [1] };
    return { ...channels(picture), level: { value: row, along: 'row' } };
  },
};

/**
 * The tensors of one conditioning entry for a model with such channels: `concat` [b, c, h, w], where it
 * has any, and what it is told of them (`level` [1]: how much a picture was noised).
 */
export const extraChannelTensors = (
  kind: ExtraChannels,
  entry: Entry,
  run: ConditioningRun,
  format: LatentFormat,
): Tensors => kinds[kind](entry, run, format);

const channels = (value: NDArray): Tensors => ({ concat: { value, along: 'grid' } });

const pictureToChange = ({ concatLatent }: Entry, { latentShape }: ConditioningRun): NDArray =>
  concatLatent ? fit(concatLatent, latentShape) : zeros(latentShape);

/**
 * The picture to refine, weakened and noised by the entry's `noise_augmentation` 0..1 (HunyuanImage's refiner); seed
 * as ComfyUI's. Without one it is 0.
 */
function noisedPicture(
  { concatLatent, extra = {} }: Entry,
  { latentShape, seed = 0 }: ConditioningRun,
  format: LatentFormat,
): NDArray {
  if (!concatLatent) return zeros(latentShape);
  const picture = processIn(format, fit(concatLatent, latentShape));
  const strength = Number(extra.noise_augmentation ?? 0);
  if (strength <= 0) return scale(picture, 0.75);
  const noise = new TorchGenerator(BigInt(seed) - 10n).randn(picture.shape);
  return axpby(strength, noise, Math.min(1 - strength, 0.75), picture);
}

/** Mask (1 = to be painted), then the latent of the picture with the masked part greyed out. */
function inpaintChannels(
  { concatLatent, concatMask }: Entry,
  { latentShape, denoiseMask, latentImage }: ConditioningRun,
  format: LatentFormat,
): NDArray {
  const [batch, , height, width] = latentShape;
  const mask = concatMask ?? denoiseMask;
  if (!mask) return concat([full([batch, 1, height, width], 1), blank(latentShape)], 1);
  const picture = concatLatent ? processIn(format, concatLatent) : latentImage;
  const [h, w] = mask.shape.slice(-2);
  const single =
    mask.shape.length === 4 ? sliceAxis(mask, 1, 0, 1) : reshape(mask, [mask.shape[0], 1, h, w]);
  const sized = fit(single, [single.shape[0], 1, height, width]);
  return concat(
    [
      resizeBatch(map(sized, roundHalfEven), batch),
      picture ? fit(picture, latentShape) : blank(latentShape),
    ],
    1,
  );
}

/** The masked picture in the model's units, then the mask's pixels of every cell (1 = to be painted). */
function maskedPicture(entry: Entry, run: ConditioningRun, format: LatentFormat): NDArray {
  const [batch, , height, width] = run.latentShape;
  const { space } = format;
  const mask = entry.concatMask ?? run.denoiseMask ?? full([1, 1, height, width], 1);
  const [count, ...rest] = mask.shape;
  const single = meanChannel(rest.length === 3 ? mask : reshape(mask, [count, 1, ...rest]));
  const cells = pixelsOfCells(fit(single, [count, 1, height * space, width * space]), space);
  const picture = processIn(format, pictureToChange(entry, run));
  return concat([picture, resizeBatch(cells, batch)], 1);
}

/** The mean of all channels: [b, 1, h, w]. */
function meanChannel(x: NDArray): NDArray {
  const channels = x.shape[1];
  const terms = Array.from(
    { length: channels },
    (_, c) => [1 / channels, sliceAxis(x, 1, c, c + 1)] as const,
  );
  return weightedSum(...terms);
}

/** Every cell's pixels as channels, row by row: [b, 1, h*n, w*n] to [b, n*n, h, w]. */
function pixelsOfCells(x: NDArray, n: number): NDArray {
  const [batch, , height, width] = x.shape;
  const [rows, columns] = [height / n, width / n];
  const data = new Float32Array(x.data.length);
  for (let i = 0; i < data.length; i++) {
    const [column, row] = [i % columns, Math.floor(i / columns) % rows];
    const channel = Math.floor(i / (columns * rows)) % (n * n);
    const b = Math.floor(i / (columns * rows * n * n));
    const y = row * n + Math.floor(channel / n);
    data[i] = x.data[(b * height + y) * width + column * n + (channel % n)];
  }
  return { data, shape: [batch, n * n, rows, columns] };
}

function blank(shape: readonly number[]): NDArray {
  const cells = sizeOf(shape.slice(2));
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) {
    data[i] = blankPicture[Math.floor(i / cells) % blankPicture.length];
  }
  return nd(data, shape);
}

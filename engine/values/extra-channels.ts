/** What inpaint and instruct models and upscalers are fed on channels behind the noisy latent. */
import { concat, sliceAxis } from '../array/batch.ts';
import { map } from '../array/elementwise.ts';
import { type NDArray, full, nd, reshape, sizeOf, zeros } from '../array/nd.ts';
import { roundHalfEven } from '../array/round.ts';
import type { ExtraChannels } from '../arch/family.ts';
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import type { LatentFormat } from '../sampling/latent/formats.ts';
import { processIn } from '../sampling/latent/process.ts';
import type { CondTensor, ConditioningRun } from '../sampling/model.ts';
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
  instruct: (entry, run) => channels(pictureToChange(entry, run)),
  'instruct-scaled': (entry, run, format) =>
    channels(processIn(format, pictureToChange(entry, run))),
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

function blank(shape: readonly number[]): NDArray {
  const cells = sizeOf(shape.slice(2));
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) {
    data[i] = blankPicture[Math.floor(i / cells) % blankPicture.length];
  }
  return nd(data, shape);
}

/** What inpaint and instruct models are fed on channels behind the noisy latent. */
import { concat, sliceAxis } from '../array/batch.ts';
import { map } from '../array/elementwise.ts';
import { type NDArray, full, nd, reshape, sizeOf, zeros } from '../array/nd.ts';
import { commonUpscale } from '../array/resize.ts';
import { roundHalfEven } from '../array/round.ts';
import type { ExtraChannels } from '../arch/family.ts';
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import type { LatentFormat } from '../sampling/latent/formats.ts';
import { processIn } from '../sampling/latent/process.ts';
import type { ConditioningRun } from '../sampling/model.ts';

/** A grey picture in SD1's latent units: what an inpaint model sees when nothing was masked. */
const blankPicture = [0.8223, -0.6876, 0.6364, 0.138];

/** The extra channels [b, c, h, w] for one conditioning entry; undefined when the model has none. */
export function extraChannelInput(
  kind: ExtraChannels,
  entry: Pick<ConditioningEntry, 'concatLatent' | 'concatMask'>,
  run: ConditioningRun,
  format: LatentFormat,
): NDArray | undefined {
  if (kind === 'none') return undefined;
  if (kind === 'inpaint') return inpaintChannels(entry, run, format);
  const picture = entry.concatLatent
    ? fit(entry.concatLatent, run.latentShape)
    : zeros(run.latentShape);
  return kind === 'instruct-scaled' ? processIn(format, picture) : picture;
}

/** Mask (1 = to be painted), then the latent of the picture with the masked part greyed out. */
function inpaintChannels(
  { concatLatent, concatMask }: Pick<ConditioningEntry, 'concatLatent' | 'concatMask'>,
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

/** x at another size (bilinear, the middle of the picture) and batch. */
function fit(x: NDArray, shape: readonly number[]): NDArray {
  const [batch, , height, width] = shape;
  const same = x.shape[2] === height && x.shape[3] === width;
  const sized = same ? x : commonUpscale(x, width, height, 'bilinear', 'center');
  return resizeBatch(sized, batch);
}

/** Another batch size: rows are picked (fewer) or repeated in place (more), spread over the batch. */
export function resizeBatch(x: NDArray, count: number): NDArray {
  const have = x.shape[0];
  if (have === count) return x;
  const pick = (i: number): number => {
    if (count === 1) return 0;
    if (count < have) return Math.min(roundHalfEven((i * (have - 1)) / (count - 1)), have - 1);
    return Math.min(Math.floor(((i + 0.5) * have) / count), have - 1);
  };
  const picked = Array.from({ length: count }, (_, i) => sliceAxis(x, 0, pick(i), pick(i) + 1));
  return concat(picked);
}

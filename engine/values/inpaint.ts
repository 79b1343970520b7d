/** Encoding pictures with a masked part: the masked pixels are greyed out before the autoencoder. */
import { type NDArray, nd, reshape, zeros } from '../array/nd.ts';
import { map } from '../array/elementwise.ts';
import { resizeMask } from '../array/resize.ts';
import { roundHalfEven } from '../array/round.ts';
import { type Image, type Latent, type Mask, pixelsPerCell } from './media.ts';
import type { NetworkRun } from './network.ts';
import { type Vae, cropToFactor, encode, requireVae } from './vae.ts';

/** VAEEncodeForInpaint: the greyed picture's latent, and the mask grown by some pixels as noise mask. */
export async function encodeForInpaint(
  vae: Vae | null,
  pictures: Image,
  mask: Mask,
  growBy: number,
  run: NetworkRun,
): Promise<Latent> {
  const { factor } = requireVae(vae);
  const { pixels, mask: fitted } = fitMask(pictures, mask, factor.space);
  const rounded = map(fitted, roundHalfEven);
  const samples = await encode(vae, greyOut(pixels, rounded), run);
  return { samples, noise_mask: withChannel(growBy === 0 ? rounded : growMask(rounded, growBy)) };
}

/** InpaintModelConditioning: the latents of the whole and of the greyed picture, and the fitted mask. */
export async function encodeInpaintCondition(
  vae: Vae | null,
  pictures: Image,
  mask: Mask,
  run: NetworkRun,
): Promise<{ concatLatent: NDArray; concatMask: NDArray; samples: NDArray }> {
  const { pixels, mask: fitted } = fitMask(pictures, mask, pixelsPerCell);
  const concatLatent = await encode(vae, greyOut(pixels, map(fitted, roundHalfEven)), run);
  const samples = await encode(vae, pictures, run);
  return { concatLatent, concatMask: withChannel(fitted), samples };
}

/** Pictures cut to multiples of `factor`, and the mask [b, h, w] at their size. */
function fitMask(pictures: Image, mask: Mask, factor: number): { pixels: Image; mask: Mask } {
  const [, height, width] = pictures.shape;
  const planes = reshape(mask, [mask.data.length / area(mask), ...mask.shape.slice(-2)]);
  const resized = resizeMask(planes, width, height, 'bilinear');
  const cut = cropToFactor(reshape(resized, [...resized.shape, 1]), factor);
  return { pixels: cropToFactor(pictures, factor), mask: reshape(cut, cut.shape.slice(0, 3)) };
}

/** Pixels under the mask become middle grey: (p - 0.5)·(1 - mask) + 0.5. */
function greyOut(pictures: Image, mask: Mask): Image {
  const channels = pictures.shape[3];
  const data = pictures.data.slice();
  for (let i = 0; i < data.length; i++) {
    if (i % channels > 2) continue;
    const keep = 1 - mask.data[Math.floor(i / channels) % mask.data.length];
    data[i] = Math.fround(Math.fround(data[i] - 0.5) * keep) + 0.5;
  }
  return nd(data, pictures.shape);
}

/** A mask of 0 and 1 [b, h, w] widened by a square of `size` pixels. */
function growMask(mask: Mask, size: number): Mask {
  const [batch, height, width] = mask.shape;
  const before = Math.ceil((size - 1) / 2);
  const out = zeros(mask.shape);
  const rows = zeros(mask.shape);
  for (let line = 0; line < batch * height; line++) {
    windowAny(mask.data, rows.data, { start: line * width, step: 1, length: width, before, size });
  }
  for (let b = 0; b < batch; b++) {
    for (let x = 0; x < width; x++) {
      const start = b * height * width + x;
      windowAny(rows.data, out.data, { start, step: width, length: height, before, size });
    }
  }
  return out;
}

/** 1 where any of the `size` values from `before` places ahead is not 0, along one line. */
function windowAny(
  from: Float32Array,
  to: Float32Array,
  line: { start: number; step: number; length: number; before: number; size: number },
): void {
  const { start, step, length, before, size } = line;
  const at = (i: number): number => (i >= 0 && i < length && from[start + i * step] !== 0 ? 1 : 0);
  let count = 0;
  for (let i = -before; i < size - before; i++) count += at(i);
  for (let i = 0; i < length; i++) {
    to[start + i * step] = count > 0 ? 1 : 0;
    count += at(i - before + size) - at(i - before);
  }
}

const withChannel = (mask: Mask): NDArray => {
  const [batch, height, width] = mask.shape;
  return reshape(mask, [batch, 1, height, width]);
};

const area = (mask: Mask): number => mask.shape.at(-1)! * mask.shape.at(-2)!;

/** The pixels of an item of a data set, and its mask. */
import { greyBytes } from '../../array/colour.ts';
import { type NDArray, full, nd, reshape } from '../../array/nd.ts';
import type { Rectangle } from '../../array/rectangle.ts';
import { type Bytes, resampleBytes } from '../../array/resample-bytes.ts';
import { flipAxis } from '../../array/turn.ts';
import type { Frame } from '../../media/frame.ts';
import { loadImageFile } from '../../media/load-image.ts';
import type { Placed } from './item.ts';
import type { MaskSettings } from './settings.ts';

/**
 * The picture [1, h, w, 3] in 0..1, as autoencoders take it: upright, without alpha, scaled by Pillow's
 * bicubic filter and cut. Throws IMAGE_FILE.
 */
export async function pictureOf(placed: Placed): Promise<NDArray> {
  const { width, height, rgb } = await firstFrame(placed.item.path);
  return placedBand({ data: rgb, width, height, channels: 3 }, placed);
}

/**
 * The mask [1, 1, h, w] of a picture in its pixels, 0..1, as `jobMask` takes it. Ones for a picture without
 * one; undefined for sets without masks. Throws IMAGE_FILE.
 */
export async function maskOf(
  { alphaMask, maskPath, invertMask }: MaskSettings,
  placed: Placed,
): Promise<NDArray | undefined> {
  if (!alphaMask && maskPath === undefined) return undefined;
  const { width, height } = placed.placement.crop;
  const band = alphaMask ? await alphaOf(placed.item.path) : await greyOf(placed.item.mask);
  if (!band) return full([1, 1, height, width], 1);
  const data = invertMask ? band.data.map((v) => 255 - v) : band.data;
  return reshape(placedBand({ ...band, data }, placed), [1, 1, height, width]);
}

function placedBand(band: Bytes, { item, placement: { scaled, crop } }: Placed): NDArray {
  const whole = resampleBytes(band, scaled.width, scaled.height, 'bicubic');
  // Pictures are mirrored as wholes: a crop from the left then shows what was on the right.
  const left = item.flipX ? scaled.width - crop.x - crop.width : crop.x;
  const top = item.flipY ? scaled.height - crop.y - crop.height : crop.y;
  const part = cutBytes(whole, { left, top, width: crop.width, height: crop.height });
  const across = item.flipX ? flipAxis(part, 2) : part;
  return item.flipY ? flipAxis(across, 1) : across;
}

/** A rectangle of a picture's bytes as numbers [1, h, w, c] in 0..1. */
function cutBytes({ data, width, channels }: Bytes, { left, top, ...size }: Rectangle): NDArray {
  const row = size.width * channels;
  const out = new Float32Array(size.height * row);
  for (let y = 0; y < size.height; y++) {
    const from = ((top + y) * width + left) * channels;
    for (let i = 0; i < row; i++) out[y * row + i] = data[from + i] / 255;
  }
  return nd(out, [1, size.height, size.width, channels]);
}

async function firstFrame(path: string): Promise<Frame> {
  return (await loadImageFile(path, { firstOnly: true })).frames[0];
}

async function alphaOf(path: string): Promise<Bytes | undefined> {
  const { alpha, width, height } = await firstFrame(path);
  return alpha && { data: alpha, width, height, channels: 1 };
}

async function greyOf(path: string | undefined): Promise<Bytes | undefined> {
  if (path === undefined) return undefined;
  const { rgb, width, height } = await firstFrame(path);
  return { data: greyBytes(rgb), width, height, channels: 1 };
}

/** JPEG, WebP, AVIF and the rarer TIFFs through sharp, with the reference's pixels. */
import { exifOrientation, xmpOrientation } from './exif.ts';
import { likeReference } from './formats/avif-colours.ts';
import { asStored, coloursOf } from './formats/avif.ts';
import { endsInTable } from './formats/jpeg.ts';
import { pictureFormat } from './formats/signatures.ts';
import { type Frame, splitAlpha, takeRgb } from './frame.ts';
import { badImage, checkImageSize } from './limits.ts';
import { type SharpPicture, lenient, loadSharp } from './sharp.ts';
import type { Metadata } from 'sharp';

/** All frames of an animated WebP, else the one picture (of a multi-picture JPEG the first). */
export async function decodeWithSharp(
  file: Uint8Array,
  options: { page?: number; animated?: boolean } = {},
): Promise<Frame[]> {
  const sharp = await loadSharp();
  const format = pictureFormat(file);
  const { bytes, orientation: turned } =
    format === 'avif' ? asStored(file) : { bytes: file, orientation: undefined };
  try {
    const meta = await sharp(bytes, lenient).metadata();
    const pages = options.animated ? (meta.pages ?? 1) : 1;
    checkImageSize(meta.width, meta.pageHeight ?? meta.height, pages);
    const orientation = orientationOf(meta, turned);
    if (format === 'jpeg' && endsInTable(bytes)) {
      return [{ ...emptyFrame(meta.width, meta.height, meta.space === 'cmyk'), orientation }];
    }
    const input = { ...lenient, ...(pages > 1 ? { pages: -1 } : { page: options.page ?? 0 }) };
    if (meta.space === 'cmyk') return [{ ...(await decodeCmyk(sharp(bytes, input))), orientation }];
    const { data, info } = await sharp(bytes, input)
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, channels } = info;
    const height = info.height / pages;
    const length = width * height * channels;
    const colours =
      pages === 1 && channels >= 3 && format === 'avif' ? coloursOf(bytes) : undefined;
    const frames = Array.from({ length: pages }, (_, i) => ({
      width,
      height,
      orientation,
      ...bandsOf(data.subarray(i * length, (i + 1) * length), channels),
    }));
    if (colours !== undefined) {
      const { rgb } = frames[0];
      const deep =
        colours.bits > 8 ? await deepPixels(sharp(bytes, input), colours.bits) : undefined;
      likeReference(rgb, deep ?? rgb, { width, height }, colours);
    }
    return frames;
  } catch (cause) {
    throw badImage(cause);
  }
}

/** What the boxes of an AVIF say counts before its EXIF, as Pillow reads it. */
export function orientationOf({ exif, xmp }: Metadata, boxes?: number): number {
  if (boxes !== undefined && (boxes !== 1 || exif)) return boxes;
  if (exif) return exifOrientation(exif);
  return xmpOrientation(xmp ? Buffer.from(xmp).toString('latin1') : '');
}

/** All zero: black, or no ink. */
function emptyFrame(width: number, height: number, inks: boolean): Frame {
  return { width, height, rgb: new Uint8Array(width * height * 3).fill(inks ? 255 : 0) };
}

function bandsOf(data: Uint8Array, channels: number): Pick<Frame, 'rgb' | 'alpha'> {
  if (channels === 4) return splitAlpha(data);
  return { rgb: takeRgb(data, channels).slice() };
}

/** RGB with all the bits that samples have; sharp puts them on top of 16. */
async function deepPixels(image: SharpPicture, bits: number): Promise<Uint16Array> {
  const { data, info } = await image
    .toColourspace('rgb16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const values = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  const rgb = new Uint16Array(info.width * info.height * 3);
  for (let i = 0, from = 0; i < rgb.length; from += info.channels) {
    for (let c = 0; c < 3; c++) rgb[i++] = values[from + c] >> (16 - bits);
  }
  return rgb;
}

/** Inks to RGB without a profile: 255 − k minus the ink's share of it. */
async function decodeCmyk(image: SharpPicture): Promise<Frame> {
  const { data, info } = await image
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: cmykToRgb(data, info.channels) };
}

/** Pixels of `channels` bytes, the first four of them CMYK, as RGB. */
export function cmykToRgb(data: Uint8Array, channels: number): Uint8Array {
  const count = Math.floor(data.length / channels);
  const rgb = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) {
    const white = 255 - data[i * channels + 3];
    for (let c = 0; c < 3; c++) {
      const t = data[i * channels + c] * white + 128;
      rgb[i * 3 + c] = Math.max(0, white - (((t >> 8) + t) >> 8));
    }
  }
  return rgb;
}

/** A picture file to frames: which reader for which bytes. File names and endings are not asked. */
import { NoodleError } from '../errors.ts';
import { readPngText } from '../workflow/png-text.ts';
import { decodeBmp } from './formats/bmp.ts';
import { decodeWithSharp } from './decode-with-sharp.ts';
import { exifOrientation, xmpOrientation } from './exif.ts';
import { type DecodedImage, type Frame, upright } from './frame.ts';
import { decodeGif } from './formats/gif.ts';
import { badImage } from './limits.ts';
import { type PngFile, readPng } from './formats/png/chunks.ts';
import { decodePng } from './formats/png/decode.ts';
import { type PictureFormat, pictureFormat } from './formats/signatures.ts';
import { decodeTga } from './formats/tga.ts';
import { decodeTiff } from './formats/tiff.ts';

export interface DecodeOptions {
  /** Named in errors. */
  readonly name?: string;
  /** Decode no more than the first frame. */
  readonly firstOnly?: boolean;
}

/**
 * Decodes PNG/APNG, JPEG, WebP, GIF, BMP, TGA, TIFF and AVIF; every frame is turned upright.
 * Throws IMAGE_FILE for anything else and for broken files.
 */
export async function decodeImage(
  bytes: Uint8Array,
  { name, firstOnly = false }: DecodeOptions = {},
): Promise<DecodedImage> {
  try {
    const { format, frames } = await decodeFrames(bytes, firstOnly);
    return { format, frames: frames.map(upright) };
  } catch (error) {
    if (error instanceof NoodleError && error.code !== 'IMAGE_FILE') throw error;
    const reason = error instanceof NoodleError ? String(error.details['reason']) : 'it is damaged';
    throw new NoodleError('IMAGE_FILE', { reason, name }, { cause: error });
  }
}

const DECODERS: Readonly<
  Record<PictureFormat, (bytes: Uint8Array, firstOnly: boolean) => Frame[] | Promise<Frame[]>>
> = {
  png: decodePngUpright,
  gif: (bytes, firstOnly) => decodeGif(bytes, { firstOnly }),
  jpeg: (bytes) => decodeWithSharp(bytes),
  webp: (bytes, firstOnly) => decodeWithSharp(bytes, { animated: !firstOnly }),
  bmp: (bytes) => [decodeBmp(bytes)],
  tiff: (bytes, firstOnly) => decodeTiff(bytes, { firstOnly }),
  avif: (bytes) => decodeWithSharp(bytes),
  tga: (bytes) => [decodeTga(bytes)],
};

async function decodeFrames(bytes: Uint8Array, firstOnly: boolean): Promise<DecodedImage> {
  const format = pictureFormat(bytes);
  if (format === undefined) throw badImage('its format is not known');
  return { format, frames: await DECODERS[format](bytes, firstOnly) };
}

async function decodePngUpright(bytes: Uint8Array, firstOnly: boolean): Promise<Frame[]> {
  const png = readPng(bytes);
  const orientation = await pngOrientation(png, bytes);
  const wanted = firstOnly ? { ...png, frames: png.frames.slice(0, 1) } : png;
  return (await decodePng(wanted)).map((frame) => ({ ...frame, orientation }));
}

/** How a PNG is turned: as its EXIF says, else one of its texts. */
export const pngOrientation = async ({ exif }: PngFile, bytes: Uint8Array): Promise<number> =>
  exif ? exifOrientation(exif) : orientationInText(bytes);

const EXIF_TEXT = 'Raw profile type exif';
const XMP_TEXT = 'XML:com.adobe.xmp';

async function orientationInText(bytes: Uint8Array): Promise<number> {
  const text = await readPngText(bytes, (key) => key === EXIF_TEXT || key === XMP_TEXT);
  const raw = text.get(EXIF_TEXT);
  if (raw !== undefined) return exifOrientation(rawProfile(raw));
  return xmpOrientation(text.get(XMP_TEXT) ?? '');
}

/** ImageMagick's hexadecimal EXIF text: a line break, name, length, then the bytes. */
function rawProfile(text: string): Uint8Array {
  return Buffer.from(text.split('\n').slice(3).join(''), 'hex');
}

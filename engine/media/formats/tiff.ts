/** TIFF pages: our own reader for plain layouts, sharp for the rest (JPEG, fax, YCbCr, Lab). */
import { cmykToRgb, decodeWithSharp } from '../decode-with-sharp.ts';
import { type Frame, grayToRgb, paletteToRgb, splitAlpha, takeRgb } from '../frame.ts';
import { badImage, checkImageSize } from '../limits.ts';
import { readTiffPages, type TiffPage } from './tiff-pages.ts';
import { readTiffSamples } from './tiff-samples.ts';

/** Every page (or the first) as a frame. Throws IMAGE_FILE. */
export async function decodeTiff(
  bytes: Uint8Array,
  { firstOnly = false }: { firstOnly?: boolean } = {},
): Promise<Frame[]> {
  const all = readTiffPages(bytes);
  const pages = firstOnly ? all.slice(0, 1) : all;
  if (pages.length === 0) throw badImage('it holds no TIFF page');
  const frames: Frame[] = [];
  let pixels = 0;
  for (const [i, page] of pages.entries()) {
    pixels += page.width * page.height;
    checkImageSize(page.width, page.height, Math.ceil(pixels / (page.width * page.height)));
    frames.push({ ...(await decodePage(bytes, page, i)), orientation: page.orientation });
  }
  return frames;
}

/** Our own compressions, where the layout is unusual, and fax, JPEG and WebP. */
const DELEGATED = new Set([1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 50001]);

async function decodePage(bytes: Uint8Array, page: TiffPage, index: number): Promise<Frame> {
  const samples = await readTiffSamples(bytes, page);
  const read = samples && bandsOf(page, samples);
  if (read) return { width: page.width, height: page.height, ...read };
  if (!DELEGATED.has(page.compression)) {
    throw badImage(`TIFF compression ${page.compression} is not read here`);
  }
  const [frame] = await decodeWithSharp(bytes, { page: index });
  return frame;
}

/** The bands of the layouts we read ourselves; undefined for the others. */
function bandsOf(
  page: TiffPage,
  samples: ArrayLike<number>,
): Pick<Frame, 'rgb' | 'alpha'> | undefined {
  const { photometric, samplesPerPixel: count, extraSamples, palette } = page;
  if (photometric <= 1 && count === 1) return { rgb: grayToRgb(grayBytes(page, samples)) };
  if (page.bits !== 8 && page.bits !== 16) {
    return photometric === 3 && count === 1
      ? { rgb: paletteToRgb(Uint8Array.from(samples), palette) }
      : undefined;
  }
  const bytes = highBytes(samples, page.bits);
  if (photometric === 1 && count === 2 && page.bits === 8) return grayAlpha(bytes);
  if (photometric === 2 && count === 3) return { rgb: bytes };
  if (photometric === 2 && count >= 4) {
    const kind = extraSamples[0] ?? 2;
    if (kind === 0) return { rgb: takeRgb(bytes, count) };
    const rgba = count === 4 ? bytes : takeFour(bytes, count);
    return splitAlpha(kind === 1 ? unpremultiplied(rgba) : rgba);
  }
  if (photometric === 3 && count === 1) return { rgb: paletteToRgb(bytes, palette) };
  if (photometric === 5 && count >= 4) return { rgb: cmykToRgb(bytes, count) };
  return undefined;
}

/**
 * Gray of any depth as the reference turns it into 8 bits: up to 8 bits scaled; 16 bits limited to
 * 255; signed and 32-bit integers divided by 255; floats cut and limited.
 */
function grayBytes(page: TiffPage, samples: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(samples.length);
  const { bits, sampleFormat, photometric } = page;
  const limit = (v: number): number => (v > 255 ? 255 : v > 0 ? Math.trunc(v) : 0);
  const isInteger = sampleFormat !== 3;
  for (let i = 0; i < out.length; i++) {
    const v = samples[i];
    if (bits <= 8) {
      const scaled = isInteger ? (v * 255) / ((1 << bits) - 1) : v;
      out[i] = photometric === 0 ? 255 - scaled : scaled;
    } else if (isInteger && (bits === 32 || sampleFormat === 2)) {
      out[i] = limit(Math.trunc(v / 255));
    } else {
      out[i] = limit(v);
    }
  }
  return out;
}

function highBytes(samples: ArrayLike<number>, bits: number): Uint8Array {
  if (bits === 8 && samples instanceof Uint8Array) return samples;
  const shift = bits - 8;
  return Uint8Array.from({ length: samples.length }, (_, i) => samples[i] >> shift);
}

function grayAlpha(pairs: Uint8Array): Pick<Frame, 'rgb' | 'alpha'> {
  const pick = (offset: number): Uint8Array =>
    Uint8Array.from({ length: pairs.length / 2 }, (_, i) => pairs[2 * i + offset]);
  return { rgb: grayToRgb(pick(0)), alpha: pick(1) };
}

function takeFour(data: Uint8Array, channels: number): Uint8Array {
  const out = new Uint8Array((data.length / channels) * 4);
  for (let i = 0, to = 0; i < data.length; i += channels, to += 4) {
    out.set(data.subarray(i, i + 4), to);
  }
  return out;
}

/** Colours stored multiplied by alpha, divided again. */
function unpremultiplied(rgba: Uint8Array): Uint8Array {
  const out = rgba.slice();
  for (let i = 0; i < out.length; i += 4) {
    const alpha = out[i + 3];
    if (alpha === 0 || alpha === 255) continue;
    for (let c = 0; c < 3; c++) {
      out[i + c] = Math.min(255, Math.trunc((out[i + c] * 255) / alpha));
    }
  }
  return out;
}

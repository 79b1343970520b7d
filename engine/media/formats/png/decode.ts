/** PNG and APNG to frames, with the reference's (Pillow's) reading of every colour type. */
import { type Frame, grayToRgb, paletteToRgb, splitAlpha } from '../../frame.ts';
import type { PngFile, PngFrame } from './chunks.ts';
import { readSamples } from './samples.ts';

/** All frames; animation frames are composed on the full canvas. Throws IMAGE_FILE. */
export async function decodePng(png: PngFile): Promise<Frame[]> {
  const { width, height } = png.header;
  if (png.frames.length === 1 && coversAll(png, png.frames[0])) {
    return [toFrame(png, await readPixels(png, png.frames[0]))];
  }
  const bands = png.header.colorType === 4 && png.header.bitDepth === 16 ? 4 : bandsOf(png);
  const canvas = new Uint8Array(width * height * bands);
  const area = new Area(canvas, width, bands);
  const frames: Frame[] = [];
  let undo: { frame: PngFrame; pixels: Uint8Array } | undefined;
  for (const [i, frame] of png.frames.entries()) {
    if (undo) area.put(undo.frame, undo.pixels);
    const before = area.cut(frame);
    const pixels = await readPixels(png, frame);
    area.put(frame, i > 0 && frame.blend === 1 ? over(png, before, pixels, bands) : pixels);
    frames.push(toFrame(png, canvas.slice()));
    if (frame.dispose === 1 || (frame.dispose === 2 && i === 0)) {
      undo = { frame, pixels: new Uint8Array(before.length) };
    } else {
      undo = frame.dispose === 2 ? { frame, pixels: before } : undefined;
    }
  }
  return frames;
}

const BANDS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const bandsOf = (png: PngFile): number => BANDS[png.header.colorType];

function coversAll(png: PngFile, frame: PngFrame): boolean {
  return frame.width === png.header.width && frame.height === png.header.height;
}

/**
 * A frame's pixels as bytes: palette indices, gray scaled to 0..255, the high byte of 16-bit
 * colours; 16-bit gray is limited to 255, not scaled (Pillow's mode I;16 -> RGB); 16-bit gray with
 * alpha comes as RGBA.
 */
async function readPixels(png: PngFile, frame: PngFrame): Promise<Uint8Array> {
  const samples = await readSamples(png.header, frame);
  const { colorType, bitDepth } = png.header;
  if (samples instanceof Uint16Array) {
    const out = new Uint8Array(samples.length);
    if (colorType === 0) for (let i = 0; i < out.length; i++) out[i] = Math.min(samples[i], 255);
    else for (let i = 0; i < out.length; i++) out[i] = samples[i] >> 8;
    return colorType === 4 ? grayAlphaToRgba(out) : out;
  }
  if (colorType !== 0 || bitDepth === 8) return samples;
  const factor = 255 / ((1 << bitDepth) - 1);
  return samples.map((v) => v * factor);
}

function grayAlphaToRgba(pairs: Uint8Array): Uint8Array {
  const out = new Uint8Array(pairs.length * 2);
  for (let i = 0, to = 0; i < pairs.length; i += 2, to += 4) {
    out[to] = out[to + 1] = out[to + 2] = pairs[i];
    out[to + 3] = pairs[i + 1];
  }
  return out;
}

function toFrame(png: PngFile, pixels: Uint8Array): Frame {
  const { width, height, colorType, bitDepth } = png.header;
  const size = { width, height };
  const transparency = png.transparency;
  if (colorType === 3) {
    const rgb = paletteToRgb(pixels, png.palette);
    if (!transparency) return { ...size, rgb };
    return { ...size, rgb, alpha: paletteAlpha(pixels, transparency) };
  }
  if (colorType === 6 || (colorType === 4 && bitDepth === 16)) {
    return { ...size, ...splitAlpha(pixels) };
  }
  if (colorType === 4) return { ...size, ...splitAlpha(grayAlphaToRgba(pixels)) };
  const rgb = colorType === 2 ? pixels : grayToRgb(pixels);
  const key = colorKey(png);
  return key === undefined ? { ...size, rgb } : { ...size, rgb, keyedAlpha: keyed(rgb, key) };
}

function paletteAlpha(indices: Uint8Array, transparency: Uint8Array): Uint8Array {
  const table = new Uint8Array(256).fill(255);
  table.set(transparency.subarray(0, 256));
  return indices.map((v) => table[v]);
}

/**
 * The transparent colour as the reference compares it: the low byte of each 16-bit value, against
 * the finished 8-bit pixel (so it misses at 2 and 4 bits; 1 bit is scaled). 16-bit gray has none.
 */
function colorKey({ header, transparency }: PngFile): readonly number[] | undefined {
  if (!transparency) return undefined;
  if (header.colorType === 0) {
    if (header.bitDepth === 16 || transparency.length < 2) return undefined;
    const isWhite = header.bitDepth === 1 && (transparency[0] | transparency[1]) !== 0;
    const gray = isWhite ? 255 : transparency[1];
    return [gray, gray, gray];
  }
  return transparency.length >= 6 ? [transparency[1], transparency[3], transparency[5]] : undefined;
}

function keyed(rgb: Uint8Array, [r, g, b]: readonly number[]): Uint8Array {
  const alpha = new Uint8Array(rgb.length / 3).fill(255);
  for (let i = 0, at = 0; i < alpha.length; i++, at += 3) {
    if (rgb[at] === r && rgb[at + 1] === g && rgb[at + 2] === b) alpha[i] = 0;
  }
  return alpha;
}

/** Pastes with the pixels' own alpha as the weight of every band (alpha included), as Pillow does. */
function over(png: PngFile, before: Uint8Array, pixels: Uint8Array, bands: number): Uint8Array {
  const weights = overWeights(png, pixels, bands);
  if (!weights) return pixels;
  const out = new Uint8Array(pixels.length);
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i];
    for (let k = i * bands; k < (i + 1) * bands; k++) {
      const t = before[k] * (255 - weight) + pixels[k] * weight + 128;
      out[k] = ((t >> 8) + t) >> 8;
    }
  }
  return out;
}

function overWeights(png: PngFile, pixels: Uint8Array, bands: number): Uint8Array | undefined {
  if (bands === 4 || bands === 2) {
    return Uint8Array.from(
      { length: pixels.length / bands },
      (_, i) => pixels[(i + 1) * bands - 1],
    );
  }
  if (png.header.colorType === 3) {
    return png.transparency && paletteAlpha(pixels, png.transparency);
  }
  // The transparent value of gray pictures does not count here.
  const key = bands === 3 ? colorKey(png) : undefined;
  return key && keyed(pixels, key);
}

/** Rectangles of a canvas. */
class Area {
  private readonly canvas: Uint8Array;
  private readonly width: number;
  private readonly bands: number;

  constructor(canvas: Uint8Array, width: number, bands: number) {
    this.canvas = canvas;
    this.width = width;
    this.bands = bands;
  }

  cut(frame: PngFrame): Uint8Array {
    const length = frame.width * this.bands;
    const out = new Uint8Array(length * frame.height);
    for (let y = 0; y < frame.height; y++) {
      const from = this.rowStart(frame, y);
      out.set(this.canvas.subarray(from, from + length), y * length);
    }
    return out;
  }

  put(frame: PngFrame, pixels: Uint8Array): void {
    const length = frame.width * this.bands;
    for (let y = 0; y < frame.height; y++) {
      this.canvas.set(pixels.subarray(y * length, (y + 1) * length), this.rowStart(frame, y));
    }
  }

  private rowStart(frame: PngFrame, y: number): number {
    return ((frame.y + y) * this.width + frame.x) * this.bands;
  }
}

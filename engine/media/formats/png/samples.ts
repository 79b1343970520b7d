/** From a PNG's compressed data to samples: inflate, undo the row filters and Adam7. */
import { promisify } from 'node:util';
import { constants, inflate as inflateCallback } from 'node:zlib';
import { badImage } from '../../limits.ts';
import type { PngFrame, PngHeader } from './chunks.ts';

const inflate = promisify<Uint8Array, object, Buffer>(inflateCallback);

/** Samples per pixel by colour type. */
export const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/**
 * A frame's samples, one number each (16-bit ones as they are, smaller ones unscaled), in
 * [height, width, channels]. Data that ends early leaves zeros, as the reference's second,
 * lenient try does; data that is no zlib stream throws IMAGE_FILE.
 */
export async function readSamples(
  header: PngHeader,
  frame: PngFrame,
): Promise<Uint8Array | Uint16Array> {
  const channels = CHANNELS[header.colorType];
  const bits = header.bitDepth * channels;
  const passes = header.interlaced ? adam7(frame) : [wholePass(frame)];
  const rowSize = (width: number): number => Math.ceil((width * bits) / 8);
  let size = 0;
  for (const pass of passes) size += pass.height * (1 + rowSize(pass.width));
  const raw = await inflateAll(frame.data, size);

  const count = frame.width * frame.height * channels;
  const out = header.bitDepth === 16 ? new Uint16Array(count) : new Uint8Array(count);
  let at = 0;
  for (const pass of passes) {
    const length = rowSize(pass.width);
    unfilter(raw, at, pass.height, length, Math.max(1, bits >> 3));
    for (let y = 0; y < pass.height; y++) {
      const row = at + y * (length + 1) + 1;
      const to = (pass.y + y * pass.stepY) * frame.width + pass.x;
      unpackRow(raw, row, out, {
        to: to * channels,
        step: pass.stepX * channels,
        width: pass.width,
        channels,
        bitDepth: header.bitDepth,
      });
    }
    at += pass.height * (length + 1);
  }
  return out;
}

async function inflateAll(parts: readonly Uint8Array[], size: number): Promise<Uint8Array> {
  const packed = parts.length === 1 ? parts[0] : Buffer.concat(parts);
  let raw: Uint8Array;
  try {
    raw = await inflate(packed, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: size + (1 << 20),
    });
  } catch (cause) {
    throw badImage(`its PNG data is damaged (${cause instanceof Error ? cause.message : ''})`);
  }
  if (raw.length >= size) return raw;
  const padded = new Uint8Array(size);
  padded.set(raw);
  return padded;
}

interface Pass {
  readonly x: number;
  readonly y: number;
  readonly stepX: number;
  readonly stepY: number;
  readonly width: number;
  readonly height: number;
}

const wholePass = ({ width, height }: PngFrame): Pass => {
  return { x: 0, y: 0, stepX: 1, stepY: 1, width, height };
};

const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

function adam7(frame: PngFrame): Pass[] {
  return ADAM7.map(([x, y, stepX, stepY]) => ({
    x,
    y,
    stepX,
    stepY,
    width: Math.max(0, Math.ceil((frame.width - x) / stepX)),
    height: Math.max(0, Math.ceil((frame.height - y) / stepY)),
  })).filter(({ width, height }) => width > 0 && height > 0);
}

/** Undoes the filters of `height` rows of `length` bytes in place; `bpp` = bytes to the left pixel. */
function unfilter(raw: Uint8Array, start: number, height: number, length: number, bpp: number) {
  const stride = length + 1;
  for (let y = 0; y < height; y++) {
    const row = start + y * stride + 1;
    const up = y === 0 ? -1 : row - stride;
    switch (raw[row - 1]) {
      case 0:
        break;
      case 1:
        for (let i = bpp; i < length; i++) raw[row + i] += raw[row + i - bpp];
        break;
      case 2:
        if (up >= 0) for (let i = 0; i < length; i++) raw[row + i] += raw[up + i];
        break;
      case 3:
        for (let i = 0; i < length; i++) {
          const left = i < bpp ? 0 : raw[row + i - bpp];
          raw[row + i] += (left + (up < 0 ? 0 : raw[up + i])) >> 1;
        }
        break;
      case 4:
        unfilterPaeth(raw, row, up, length, bpp);
        break;
      default:
        throw badImage('a PNG row filter is unknown');
    }
  }
}

function unfilterPaeth(raw: Uint8Array, row: number, up: number, length: number, bpp: number) {
  for (let i = 0; i < length; i++) {
    const a = i < bpp ? 0 : raw[row + i - bpp];
    const b = up < 0 ? 0 : raw[up + i];
    const c = i < bpp || up < 0 ? 0 : raw[up + i - bpp];
    const p = b - c;
    const q = a - c;
    const pa = p < 0 ? -p : p;
    const pb = q < 0 ? -q : q;
    const r = p + q;
    const pc = r < 0 ? -r : r;
    raw[row + i] += pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
  }
}

function unpackRow(
  raw: Uint8Array,
  from: number,
  out: Uint8Array | Uint16Array,
  row: { to: number; step: number; width: number; channels: number; bitDepth: number },
): void {
  const { step, width, channels, bitDepth } = row;
  if (bitDepth === 8 && step === channels) {
    out.set(raw.subarray(from, from + width * channels), row.to);
    return;
  }
  const mask = (1 << bitDepth) - 1;
  for (let x = 0, to = row.to; x < width; x++, to += step) {
    for (let c = 0; c < channels; c++) {
      const i = x * channels + c;
      if (bitDepth === 8) out[to + c] = raw[from + i];
      else if (bitDepth === 16) out[to + c] = (raw[from + 2 * i] << 8) | raw[from + 2 * i + 1];
      else {
        const bit = i * bitDepth;
        out[to + c] = (raw[from + (bit >> 3)] >> (8 - bitDepth - (bit & 7))) & mask;
      }
    }
  }
}

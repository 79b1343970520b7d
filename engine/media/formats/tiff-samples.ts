/** The samples of a TIFF page: strips or tiles, unpacked, predictor undone, in pixel order. */
import { promisify } from 'node:util';
import { constants, inflate as inflateCallback } from 'node:zlib';
import { badImage } from '../limits.ts';
import type { TiffPage } from './tiff-pages.ts';
import { unpackBits, unpackTiffLzw } from './tiff-unpack.ts';

const inflate = promisify<Uint8Array, object, Buffer>(inflateCallback);

type Samples = Uint8Array | Uint16Array | Int16Array | Int32Array | Uint32Array | Float32Array;

/**
 * [height, width, samplesPerPixel] numbers as stored, or undefined for layouts that are left to
 * sharp (other compressions, one plane per sample, odd bit depths). Missing data reads as 0.
 */
export async function readTiffSamples(
  bytes: Uint8Array,
  page: TiffPage,
): Promise<Samples | undefined> {
  const { width, height, samplesPerPixel: count, bits, blockWidth, blockHeight } = page;
  const isPlain =
    [1, 5, 8, 32946, 32773].includes(page.compression) &&
    page.planar === 1 &&
    page.fillOrder === 1 &&
    (page.sampleFormat !== 3 || bits === 32) &&
    [1, 2, 4, 8, 16, 32].includes(bits) &&
    (page.predictor === 1 || (page.predictor === 2 && [8, 16, 32].includes(bits)));
  if (!isPlain || count < 1 || count > 16 || blockWidth < 1 || blockHeight < 1) return undefined;
  if (blockWidth > 65_536 || blockHeight > 65_536) throw badImage('its TIFF tiles are too large');

  const out = makeSamples(page, width * height * count);
  const across = Math.ceil(width / blockWidth);
  const rowBytes = Math.ceil((blockWidth * count * bits) / 8);
  for (const [i, offset] of page.offsets.entries()) {
    const [left, top] = [(i % across) * blockWidth, Math.floor(i / across) * blockHeight];
    if (top >= height) break;
    const rows = blockWidth === width ? Math.min(blockHeight, height - top) : blockHeight;
    const packed = bytes.subarray(offset, offset + (page.byteCounts[i] ?? bytes.length));
    const block = await unpack(packed, page.compression, rowBytes * rows);
    const values = toSamples(block, page, blockWidth * count, rows);
    if (page.predictor === 2) undoDifferences(values, blockWidth * count, count);
    const kept = Math.min(blockWidth, width - left) * count;
    for (let y = 0; y < rows && top + y < height; y++) {
      const from = y * blockWidth * count;
      out.set(values.subarray(from, from + kept), ((top + y) * width + left) * count);
    }
  }
  return out;
}

async function unpack(packed: Uint8Array, compression: number, size: number): Promise<Uint8Array> {
  const out = new Uint8Array(size);
  if (compression === 1) out.set(packed.subarray(0, size));
  else if (compression === 5) unpackTiffLzw(packed, out);
  else if (compression === 32773) unpackBits(packed, out);
  else {
    try {
      const raw = await inflate(packed, {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: size + (1 << 20),
      });
      out.set(raw.subarray(0, size));
    } catch (cause) {
      throw badImage(`its TIFF data is damaged (${cause instanceof Error ? cause.message : ''})`);
    }
  }
  return out;
}

function makeSamples({ bits, sampleFormat }: TiffPage, length: number): Samples {
  if (sampleFormat === 3) return new Float32Array(length);
  if (bits === 32) return sampleFormat === 2 ? new Int32Array(length) : new Uint32Array(length);
  if (bits === 16) return sampleFormat === 2 ? new Int16Array(length) : new Uint16Array(length);
  return new Uint8Array(length);
}

function toSamples(block: Uint8Array, page: TiffPage, perRow: number, rows: number): Samples {
  const { bits, little } = page;
  const out = makeSamples(page, perRow * rows);
  if (bits === 8) {
    out.set(block);
    return out;
  }
  if (bits < 8) {
    const rowBytes = Math.ceil((perRow * bits) / 8);
    const mask = (1 << bits) - 1;
    for (let y = 0, to = 0; y < rows; y++) {
      for (let x = 0; x < perRow; x++, to++) {
        const bit = x * bits;
        out[to] = (block[y * rowBytes + (bit >> 3)] >> (8 - bits - (bit & 7))) & mask;
      }
    }
    return out;
  }
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  for (let i = 0; i < out.length; i++) {
    if (out instanceof Float32Array) out[i] = view.getFloat32(i * 4, little);
    else if (bits === 32) out[i] = view.getInt32(i * 4, little);
    else out[i] = view.getInt16(i * 2, little);
  }
  return out;
}

/** Predictor 2: each sample was stored as the difference to the pixel on its left. */
function undoDifferences(values: Samples, perRow: number, count: number): void {
  for (let row = 0; row < values.length; row += perRow) {
    for (let i = count; i < perRow; i++) values[row + i] += values[row + i - count];
  }
}

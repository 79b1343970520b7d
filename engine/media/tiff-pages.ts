/** The tags of a TIFF's pages, bounds-checked. */
import { badImage } from './limits.ts';

export interface TiffPage {
  readonly little: boolean;
  readonly width: number;
  readonly height: number;
  /** Bits of each sample (all alike); 0 when they differ. */
  readonly bits: number;
  readonly compression: number;
  /** 0 white is zero, 1 black is zero, 2 RGB, 3 palette, 5 CMYK, 6 YCbCr, 8 Lab. */
  readonly photometric: number;
  readonly samplesPerPixel: number;
  /** 1 unsigned, 2 signed, 3 float. */
  readonly sampleFormat: number;
  readonly extraSamples: readonly number[];
  /** 1 chunky, 2 one plane per sample. */
  readonly planar: number;
  readonly predictor: number;
  readonly fillOrder: number;
  readonly orientation: number;
  /** RGB bytes. */
  readonly palette: Uint8Array;
  /** Strips are blocks as wide as the picture. */
  readonly blockWidth: number;
  readonly blockHeight: number;
  readonly offsets: readonly number[];
  readonly byteCounts: readonly number[];
}

/** Far more than any real file; a loop of directories stops here too. */
const MAX_PAGES = 4096;
const MAX_VALUES = 1 << 22;

const SIZES: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4, 16: 8 };

/** All pages in file order. Throws IMAGE_FILE for directories that make no sense. */
export function readTiffPages(bytes: Uint8Array): TiffPage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const pages: TiffPage[] = [];
  const seen = new Set<number>();
  let at = bytes.length >= 8 ? view.getUint32(4, little) : 0;
  while (at > 0 && at + 2 <= bytes.length && !seen.has(at)) {
    seen.add(at);
    if (seen.size > MAX_PAGES) throw badImage('it has too many TIFF pages');
    const count = view.getUint16(at, little);
    const end = at + 2 + count * 12;
    if (end > bytes.length) break;
    pages.push(toPage(little, readTags(view, at + 2, count, little)));
    at = end + 4 <= bytes.length ? view.getUint32(end, little) : 0;
  }
  return pages;
}

function readTags(
  view: DataView,
  start: number,
  count: number,
  little: boolean,
): Map<number, number[]> {
  const tags = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const entry = start + i * 12;
    const tag = view.getUint16(entry, little);
    const type = view.getUint16(entry + 2, little);
    const length = view.getUint32(entry + 4, little);
    const size = SIZES[type];
    if (!size || length > MAX_VALUES) continue;
    const at = size * length <= 4 ? entry + 8 : view.getUint32(entry + 8, little);
    if (at + size * length > view.byteLength) continue;
    const read = (k: number): number => {
      if (size === 1) return view.getUint8(at + k);
      if (size === 2) return view.getUint16(at + k * 2, little);
      return size === 4 ? view.getUint32(at + k * 4, little) : NaN;
    };
    tags.set(
      tag,
      Array.from({ length }, (_, k) => read(k)),
    );
  }
  return tags;
}

function toPage(little: boolean, tags: Map<number, number[]>): TiffPage {
  const one = (tag: number, fallback: number): number => tags.get(tag)?.[0] ?? fallback;
  const [width, height] = [one(256, 0), one(257, 0)];
  const bits = tags.get(258) ?? [1];
  const tiled = tags.has(324);
  const colorMap = tags.get(320) ?? [];
  const entries = Math.floor(colorMap.length / 3);
  return {
    little,
    width,
    height,
    bits: bits.every((v) => v === bits[0]) ? bits[0] : 0,
    compression: one(259, 1),
    photometric: one(262, 0),
    samplesPerPixel: one(277, bits.length),
    sampleFormat: one(339, 1),
    extraSamples: tags.get(338) ?? [],
    planar: one(284, 1),
    predictor: one(317, 1),
    fillOrder: one(266, 1),
    orientation: one(274, 1),
    palette: Uint8Array.from(
      { length: entries * 3 },
      (_, i) => colorMap[(i % 3) * entries + Math.floor(i / 3)] >> 8,
    ),
    blockWidth: tiled ? one(322, width) : width,
    blockHeight: tiled ? one(323, height) : Math.min(one(278, height), height),
    offsets: tags.get(tiled ? 324 : 273) ?? [],
    byteCounts: tags.get(tiled ? 325 : 279) ?? [],
  };
}

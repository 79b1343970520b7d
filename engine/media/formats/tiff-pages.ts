/** The tags of a TIFF's pages, bounds-checked. */
import { badImage } from '../limits.ts';

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

/** Bytes of one value by type: bytes, texts, shorts, longs, and the longs of BigTIFF. */
const SIZES: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4, 16: 8 };

/** All pages of a classic or a BigTIFF, in file order. Throws IMAGE_FILE for too many. */
export function readTiffPages(bytes: Uint8Array): TiffPage[] {
  const file = new TiffReader(bytes);
  const pages: TiffPage[] = [];
  const seen = new Set<number>();
  for (let at = file.firstPage(); at > 0 && !seen.has(at);) {
    seen.add(at);
    if (seen.size > MAX_PAGES) throw badImage('it has too many TIFF pages');
    const directory = file.directory(at);
    if (!directory) break;
    pages.push(toPage(file.little, directory.tags));
    at = directory.next;
  }
  return pages;
}

/** Numbers at offsets, in the file's byte order; BigTIFF has wider counts and offsets. */
class TiffReader {
  readonly little: boolean;
  private readonly big: boolean;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.little = bytes[0] === 0x49;
    this.big = bytes[this.little ? 2 : 3] === 43;
  }

  firstPage(): number {
    return this.word(this.big ? 8 : 4);
  }

  /** The tags of the directory at an offset and the offset of the next; undefined when cut short. */
  directory(at: number): { tags: Map<number, number[]>; next: number } | undefined {
    const head = this.big ? 8 : 2;
    if (at + head > this.view.byteLength) return undefined;
    const count = this.big ? this.word(at) : this.view.getUint16(at, this.little);
    const size = this.big ? 20 : 12;
    const end = at + head + count * size;
    if (end > this.view.byteLength) return undefined;
    const tags = new Map<number, number[]>();
    for (let entry = at + head; entry < end; entry += size) {
      const values = this.values(entry);
      if (values) tags.set(this.view.getUint16(entry, this.little), values);
    }
    return { tags, next: this.word(end) };
  }

  private values(entry: number): number[] | undefined {
    const size = SIZES[this.view.getUint16(entry + 2, this.little)];
    const length = this.word(entry + 4);
    if (!size || length > MAX_VALUES) return undefined;
    const place = entry + (this.big ? 12 : 8);
    const at = size * length <= (this.big ? 8 : 4) ? place : this.word(place);
    if (at + size * length > this.view.byteLength) return undefined;
    return Array.from({ length }, (_, i) => this.number(at + i * size, size));
  }

  /** A count or an offset; 0 beyond the end. */
  private word(at: number): number {
    const size = this.big ? 8 : 4;
    return at + size <= this.view.byteLength ? this.number(at, size) : 0;
  }

  private number(at: number, size: number): number {
    if (size === 1) return this.view.getUint8(at);
    if (size === 2) return this.view.getUint16(at, this.little);
    if (size === 4) return this.view.getUint32(at, this.little);
    return Number(this.view.getBigUint64(at, this.little));
  }
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

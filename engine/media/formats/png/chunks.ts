/** The chunks of a PNG or APNG file that its pixels need, bounds-checked; nothing is inflated here. */
import { badImage, checkImageSize } from '../../limits.ts';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  /** 0 gray, 2 RGB, 3 palette, 4 gray + alpha, 6 RGBA. */
  readonly colorType: number;
  readonly interlaced: boolean;
}

export interface PngFrame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** APNG: 0 keep, 1 clear the area, 2 put back what was there. */
  readonly dispose: number;
  /** APNG: 0 replace, 1 over. */
  readonly blend: number;
  /** Compressed data in order. */
  readonly data: Uint8Array[];
}

export interface PngFile {
  readonly header: PngHeader;
  readonly palette: Uint8Array;
  readonly transparency?: Uint8Array;
  readonly exif?: Uint8Array;
  readonly frames: readonly PngFrame[];
}

/** Whether the bytes start like a PNG. */
export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/** Reads the structure of a PNG; a file that breaks off keeps what came before. Throws IMAGE_FILE. */
export function readPng(bytes: Uint8Array): PngFile {
  if (!isPng(bytes)) throw badImage('it is no PNG');
  const state = new Reader();
  for (const { type, data } of chunksOf(bytes)) {
    if (type === 'IEND') break;
    state.take(type, data);
  }
  return state.finish();
}

function* chunksOf(bytes: Uint8Array): Generator<{ type: string; data: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = SIGNATURE.length;
  while (at + 8 <= bytes.length) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    yield { type, data: bytes.subarray(at + 8, Math.min(at + 8 + length, bytes.length)) };
    at += 12 + length;
  }
}

/** What has been read so far; has a lifetime, hence a class. */
class Reader {
  private header?: PngHeader;
  private palette = new Uint8Array();
  private transparency?: Uint8Array;
  private exif?: Uint8Array;
  private readonly frames: PngFrame[] = [];
  private animated = false;
  /** A frame control came since the last image data. */
  private pending?: PngFrame;

  take(type: string, data: Uint8Array): void {
    if (!this.header && type !== 'IHDR') throw badImage('its PNG header is missing');
    switch (type) {
      case 'IHDR':
        this.header ??= parseHeader(data);
        break;
      case 'PLTE':
        this.palette = data.slice();
        break;
      case 'tRNS':
        this.transparency = data.slice();
        break;
      case 'eXIf':
        this.exif = data;
        break;
      case 'acTL':
        this.animated = this.frames.length === 0 && data.length >= 8 && readUint32(data, 0) > 0;
        break;
      case 'fcTL':
        if (this.animated) this.pending = this.parseFrameControl(data);
        break;
      case 'IDAT':
        this.takeData(data, true);
        break;
      case 'fdAT':
        if (this.animated) this.takeData(data.subarray(4), false);
        break;
    }
  }

  finish(): PngFile {
    const { header, palette, transparency, exif, frames } = this;
    if (!header || frames.length === 0) throw badImage('it holds no PNG image data');
    return { header, palette, transparency, exif, frames };
  }

  private takeData(data: Uint8Array, still: boolean): void {
    const { width, height } = this.header!;
    if (this.pending) {
      this.frames.push(this.pending);
      this.pending = undefined;
      checkImageSize(width, height, this.frames.length);
    } else if (still && this.frames.length === 0) {
      this.frames.push({ x: 0, y: 0, width, height, dispose: 0, blend: 0, data: [] });
    }
    this.frames.at(-1)?.data.push(data);
  }

  private parseFrameControl(data: Uint8Array): PngFrame {
    if (data.length < 26) throw badImage('an animation frame is cut short');
    const [width, height, x, y] = [4, 8, 12, 16].map((at) => readUint32(data, at));
    const whole = this.header!;
    if (width < 1 || height < 1 || x + width > whole.width || y + height > whole.height) {
      throw badImage('an animation frame lies outside the picture');
    }
    return { x, y, width, height, dispose: data[24], blend: data[25], data: [] };
  }
}

const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

function parseHeader(data: Uint8Array): PngHeader {
  if (data.length < 13) throw badImage('its PNG header is cut short');
  const [width, height] = [readUint32(data, 0), readUint32(data, 4)];
  const [bitDepth, colorType, compression, filter, interlace] = data.subarray(8, 13);
  checkImageSize(width, height);
  if (!DEPTHS[colorType]?.includes(bitDepth) || compression !== 0 || filter !== 0) {
    throw badImage(`PNG colour type ${colorType} with ${bitDepth} bits is unknown`);
  }
  return { width, height, bitDepth, colorType, interlaced: interlace === 1 };
}

function readUint32(data: Uint8Array, at: number): number {
  return ((data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3]) >>> 0;
}

/**
 * GIF frames composed the way the reference (Pillow) composes them. libvips clears transparent
 * pixels to black, but a workflow sees the colour under the mask, so this reader is our own.
 */
import { readBlocks, unpackLzw } from './gif-data.ts';
import { type Frame, grayToRgb, paletteToRgb } from '../frame.ts';
import { badImage, checkImageSize } from '../limits.ts';

/** One image block with the control block before it. */
interface GifImage {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Undefined: no palette at all, indices are gray values. */
  readonly palette?: Uint8Array;
  readonly transparent?: number;
  /** 2 background, 3 and more previous. */
  readonly dispose: number;
  readonly indices: Uint8Array;
}

/**
 * All frames (or the first); later frames are RGB over what the frames before left. Frames from the
 * first one on that reaches beyond the canvas are left out: the reference enlarges the canvas for
 * them, and LoadImage skips frames of another size. Throws IMAGE_FILE.
 */
export function decodeGif(
  bytes: Uint8Array,
  { firstOnly = false }: { firstOnly?: boolean } = {},
): Frame[] {
  const { width, height, background, images } = readGif(bytes, firstOnly ? 1 : Infinity);
  const [first, ...rest] = images;
  const canvas = new Canvas(width, height, first, background);
  const frames: Frame[] = [canvas.firstFrame()];
  for (const image of rest) frames.push(canvas.next(image));
  return frames;
}

function readGif(
  bytes: Uint8Array,
  limit: number,
): {
  width: number;
  height: number;
  background: number;
  images: GifImage[];
} {
  const word = (at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  let [width, height] = [word(6), word(8)];
  let at = 13;
  const global = bytes[10] & 128 ? paletteAt(bytes, at, bytes[10]) : undefined;
  if (bytes[10] & 128) at += 3 << ((bytes[10] & 7) + 1);
  const images: GifImage[] = [];
  let dispose = 0;
  let transparent: number | undefined;
  while (at < bytes.length && bytes[at] !== 0x3b && images.length < limit) {
    const kind = bytes[at++];
    if (kind === 0x21) {
      if (bytes[at] === 0xf9 && bytes[at + 1] >= 4) {
        const flags = bytes[at + 2];
        dispose = (flags >> 2) & 7 || dispose; // "unspecified" keeps the last one
        if (flags & 1) transparent = bytes[at + 5];
      }
      at = readBlocks(bytes, at + 1).end;
    } else if (kind === 0x2c && at + 10 <= bytes.length) {
      const box = { x: word(at), y: word(at + 2), width: word(at + 4), height: word(at + 6) };
      const flags = bytes[at + 8];
      at += 9;
      const local = flags & 128 ? paletteAt(bytes, at, flags) : undefined;
      if (flags & 128) at += 3 << ((flags & 7) + 1);
      const { data, end } = readBlocks(bytes, at + 1);
      const [right, bottom] = [box.x + box.width, box.y + box.height];
      if (images.length > 0 && (right > width || bottom > height)) break;
      [width, height] = [Math.max(width, right), Math.max(height, bottom)];
      checkImageSize(width, height, images.length + 1);
      const indices = unpackLzw(data, bytes[at], {
        ...box,
        interlaced: (flags & 64) !== 0,
        fill: transparent ?? 0,
      });
      const palette = flags & 128 ? local : global;
      images.push({
        ...box,
        indices,
        dispose,
        palette,
        transparent,
      });
      transparent = undefined;
      at = end;
    }
  }
  if (images.length === 0) throw badImage('it holds no GIF image');
  const background = bytes[10] & 128 ? bytes[11] : 0;
  return { width, height, background, images };
}

/** A palette, or undefined when it is the plain gray ramp (the picture is gray then). */
function paletteAt(bytes: Uint8Array, at: number, flags: number): Uint8Array | undefined {
  const palette = bytes.slice(at, at + (3 << ((flags & 7) + 1)));
  const isRamp = palette.every((v, i) => v === Math.floor(i / 3));
  return isRamp ? undefined : palette;
}

/** What is on the screen while frames go by. */
class Canvas {
  private readonly width: number;
  private readonly height: number;
  private readonly background: number;
  private readonly first: GifImage;
  private readonly firstIndices: Uint8Array;
  private readonly rgb: Uint8Array;
  /** Present when the first frame has a palette with a transparent entry. */
  private readonly alpha?: Uint8Array;
  private undo?: () => void;

  constructor(width: number, height: number, first: GifImage, background: number) {
    this.width = width;
    this.height = height;
    this.background = background;
    this.first = first;
    this.firstIndices = new Uint8Array(width * height).fill(first.transparent ?? 0);
    this.eachPixel(first, (at, from) => (this.firstIndices[at] = first.indices[from]));
    this.rgb = colours(this.firstIndices, first.palette);
    if (first.palette && first.transparent !== undefined) {
      this.alpha = this.firstAlpha(first.transparent);
    }
    this.undo = this.undoFor(first);
  }

  firstFrame(): Frame {
    const frame = { width: this.width, height: this.height, rgb: this.rgb.slice() };
    if (this.alpha) return { ...frame, alpha: this.alpha.slice() };
    if (this.first.transparent === undefined) return frame;
    return { ...frame, keyedAlpha: this.firstAlpha(this.first.transparent) };
  }

  next(image: GifImage): Frame {
    this.undo?.();
    this.undo = this.undoFor(image);
    const colour = colours(image.indices, image.palette);
    this.eachPixel(image, (at, from) => {
      if (image.indices[from] === image.transparent) return;
      copyColour(colour, from, this.rgb, at);
      if (this.alpha) this.alpha[at] = 255;
    });
    const frame = { width: this.width, height: this.height, rgb: this.rgb.slice() };
    return this.alpha ? { ...frame, alpha: this.alpha.slice() } : frame;
  }

  private firstAlpha(transparent: number): Uint8Array {
    return this.firstIndices.map((v) => (v === transparent ? 0 : 255));
  }

  /** What to do before the next frame is drawn. */
  private undoFor(image: GifImage): (() => void) | undefined {
    if (image.dispose < 2) return undefined;
    const isFirst = image === this.first;
    // A gray first frame keeps its transparent value for all frames.
    const inherited = this.first.palette ? undefined : this.first.transparent;
    const clear = inherited ?? image.transparent;
    if (image.dispose === 2 || (isFirst && clear !== undefined)) {
      const fill = Uint8Array.from(colourOf(image.palette, clear ?? this.background));
      return () =>
        this.eachPixel(image, (at) => {
          copyColour(fill, 0, this.rgb, at);
          if (this.alpha) this.alpha[at] = clear === undefined ? 255 : 0;
        });
    }
    if (isFirst) return undefined; // there is nothing before it
    const rgb = this.rgb.slice();
    const alpha = this.alpha?.slice();
    return () =>
      this.eachPixel(image, (at) => {
        copyColour(rgb, at, this.rgb, at);
        if (alpha) this.alpha![at] = alpha[at];
      });
  }

  private eachPixel(image: GifImage, visit: (at: number, from: number) => void): void {
    for (let y = 0; y < image.height; y++) {
      for (let x = 0; x < image.width; x++) {
        visit((image.y + y) * this.width + image.x + x, y * image.width + x);
      }
    }
  }
}

function copyColour(source: Uint8Array, from: number, target: Uint8Array, to: number): void {
  target[to * 3] = source[from * 3];
  target[to * 3 + 1] = source[from * 3 + 1];
  target[to * 3 + 2] = source[from * 3 + 2];
}

function colours(indices: Uint8Array, palette: Uint8Array | undefined): Uint8Array {
  return palette ? paletteToRgb(indices, palette) : grayToRgb(indices);
}

function colourOf(palette: Uint8Array | undefined, index: number): readonly number[] {
  if (!palette) return [index, index, index];
  const at = index * 3 + 3 > palette.length ? 0 : index * 3;
  return [...palette.subarray(at, at + 3)];
}

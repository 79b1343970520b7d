/** A decoded picture before it becomes an IMAGE and a MASK. */
import type { PictureFormat } from './formats/signatures.ts';
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** 3 bytes a pixel; transparent pixels keep their colour. */
  readonly rgb: Uint8Array;
  /** The file's alpha band or its palette's transparency; absent when it has neither. */
  readonly alpha?: Uint8Array;
  /** Alpha that only LoadImageMask sees: transparent colours of gray and RGB PNGs, TGA palettes. */
  readonly keyedAlpha?: Uint8Array;
  /** EXIF orientation 1..8 of this frame. */
  readonly orientation?: number;
}

export interface DecodedImage {
  readonly format: PictureFormat;
  readonly frames: readonly Frame[];
}

/** Gray bytes as RGB bytes. */
export function grayToRgb(gray: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(gray.length * 3);
  for (let i = 0, to = 0; i < gray.length; i++, to += 3) {
    rgb[to] = rgb[to + 1] = rgb[to + 2] = gray[i];
  }
  return rgb;
}

/** Splits RGBA bytes into RGB and alpha. */
export function splitAlpha(rgba: Uint8Array): { rgb: Uint8Array; alpha: Uint8Array } {
  const count = rgba.length >> 2;
  const rgb = new Uint8Array(count * 3);
  const alpha = new Uint8Array(count);
  for (let i = 0, from = 0, to = 0; i < count; i++, from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
    alpha[i] = rgba[from + 3];
  }
  return { rgb, alpha };
}

/** Drops every byte after the third of each pixel of `channels` bytes. */
export function takeRgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data;
  const count = Math.floor(data.length / channels);
  const rgb = new Uint8Array(count * 3);
  for (let i = 0, from = 0, to = 0; i < count; i++, from += channels, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[from + 1];
    rgb[to + 2] = data[from + 2];
  }
  return rgb;
}

/** Palette indices as RGB; entries beyond the palette are black. */
export function paletteToRgb(indices: Uint8Array, palette: Uint8Array): Uint8Array {
  const table = new Uint8Array(768);
  table.set(palette.subarray(0, 768));
  const rgb = new Uint8Array(indices.length * 3);
  for (let i = 0, to = 0; i < indices.length; i++, to += 3) {
    const from = indices[i] * 3;
    rgb[to] = table[from];
    rgb[to + 1] = table[from + 1];
    rgb[to + 2] = table[from + 2];
  }
  return rgb;
}

/**
 * The frame turned upright by its EXIF orientation: 2 mirrored, 3 half turn, 4 flipped,
 * 5 transposed, 6 quarter turn clockwise, 7 transversed, 8 counter-clockwise.
 */
export function upright(frame: Frame): Frame {
  const { orientation = 1, width: w, height: h } = frame;
  if (orientation < 2 || orientation > 8) return frame;
  const [width, height] = orientation >= 5 ? [h, w] : [w, h];
  const source = (x: number, y: number): number => {
    switch (orientation) {
      case 2:
        return y * w + (w - 1 - x);
      case 3:
        return (h - 1 - y) * w + (w - 1 - x);
      case 4:
        return (h - 1 - y) * w + x;
      case 5:
        return x * w + y;
      case 6:
        return (h - 1 - x) * w + y;
      case 7:
        return (h - 1 - x) * w + (w - 1 - y);
      default:
        return x * w + (w - 1 - y);
    }
  };
  const order = new Uint32Array(w * h);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) order[i] = source(x, y);
  }
  const turn = (band: Uint8Array): Uint8Array => {
    const out = new Uint8Array(band.length);
    for (let i = 0; i < out.length; i++) out[i] = band[order[i]];
    return out;
  };
  const rgb = new Uint8Array(frame.rgb.length);
  for (let i = 0, to = 0; i < order.length; i++, to += 3) {
    const from = order[i] * 3;
    rgb[to] = frame.rgb[from];
    rgb[to + 1] = frame.rgb[from + 1];
    rgb[to + 2] = frame.rgb[from + 2];
  }
  return {
    width,
    height,
    rgb,
    alpha: frame.alpha && turn(frame.alpha),
    keyedAlpha: frame.keyedAlpha && turn(frame.keyedAlpha),
  };
}

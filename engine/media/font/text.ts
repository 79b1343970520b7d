/** Lines of text on pictures of bytes, in the font that the reference has for it. */
import { readFileSync } from 'node:fs';
import { type Coverage, coverageOf, extentOf } from './coverage.ts';
import { type Font, type Glyph, readFont } from './truetype.ts';

/** Aileron Regular by Sora Sagano, a part of its characters, as Pillow ships it; in the public domain (CC0). */
const FILE = new URL('./aileron-regular.ttf', import.meta.url);
let font: Font | undefined;

type Contours = Glyph['contours'];

/** The font in one size. Widths and places are whole pixels; glyphs are not hinted. */
export interface Face {
  /** From the top of a line to its baseline. */
  readonly ascender: number;
  width(text: string): number;
  /** Of the line's ink with its border, below the top of the line; nothing of blank lines. */
  extent(
    line: string,
    stroke: number,
  ): { readonly top: number; readonly bottom: number } | undefined;
  /** What a line covers; (left, top) counts from its left end on the baseline. */
  coverage(line: string, stroke: number): Coverage;
}

/** The font with `size` pixels an em. */
export function faceOf(size: number): Face {
  const { unitsPerEm, ascender: above, glyph } = (font ??= readFont(readFileSync(FILE)));
  const scale = size / unitsPerEm;
  const ascender = Math.ceil(above * scale);
  const advance = (char: string): number => Math.round(glyph(char.codePointAt(0)!).advance * scale);
  /** What `make` gives for a glyph and its border, made once. */
  const once = <T>(make: (contours: Contours, scale: number, stroke: number) => T) => {
    const known = new Map<string, T>();
    return (char: string, stroke: number): T => {
      const key = `${char}${stroke}`;
      const found = known.get(key) ?? make(glyph(char.codePointAt(0)!).contours, scale, stroke);
      known.set(key, found);
      return found;
    };
  };
  const coverageOfChar = once(coverageOf);
  const extentOfChar = once(extentOf);
  const width = (text: string): number => {
    let sum = 0;
    for (const char of text) sum += advance(char);
    return sum;
  };
  const extent: Face['extent'] = (line, stroke) => {
    let [top, bottom] = [Infinity, -Infinity];
    for (const char of new Set(line)) {
      const ink = extentOfChar(char, stroke);
      if (ink.height === 0) continue;
      [top, bottom] = [Math.min(top, ink.top), Math.max(bottom, ink.top + ink.height)];
    }
    return top < bottom ? { top: ascender + top, bottom: ascender + bottom } : undefined;
  };
  const coverage: Face['coverage'] = (line, stroke) => {
    const { top = 0, bottom = 0 } = extent(line, stroke) ?? {};
    const left = -Math.ceil(size / 2) - stroke;
    const wide = width(line) + size + 2 * stroke;
    const high = bottom - top;
    const data = new Uint8Array(wide * high);
    let pen = -left;
    for (const char of line) {
      const ink = coverageOfChar(char, stroke);
      for (let y = 0; y < ink.height; y++) {
        const row = (y + ink.top + ascender - top) * wide + pen + ink.left;
        for (let x = 0; x < ink.width; x++) {
          data[row + x] = Math.max(data[row + x], ink.data[y * ink.width + x]);
        }
      }
      pen += advance(char);
    }
    return { left, top: top - ascender, width: wide, height: high, data };
  };
  return { ascender, width, extent, coverage };
}

interface Target {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Puts ink where a mask covers pixels, as Pillow does: on RGBA, what is transparent takes the ink's colour whole. */
export function putInk(
  target: Target,
  mask: Coverage,
  x: number,
  y: number,
  ink: readonly number[],
): void {
  const { data, width, height, channels } = target;
  for (let row = Math.max(0, -y - mask.top); row < mask.height; row++) {
    const toY = y + mask.top + row;
    if (toY >= height) break;
    for (let column = 0; column < mask.width; column++) {
      const toX = x + mask.left + column;
      const share = mask.data[row * mask.width + column];
      if (share === 0 || toX < 0 || toX >= width) continue;
      const at = (toY * width + toX) * channels;
      const clear = channels === 4 && data[at + 3] === 0;
      for (let c = 0; c < channels; c++) {
        const part = clear && c < 3 ? 255 : share;
        const t = data[at + c] * (255 - part) + ink[c] * part + 128;
        data[at + c] = ((t >> 8) + t) >> 8;
      }
    }
  }
}

/** Words of each line put into lines of at most `most` pixels; `long` words are cut, or stand alone. */
export function wrap(text: string, face: Face, most: number, long: 'cut' | 'keep'): string[] {
  const lines: string[] = [];
  const space = face.width(' ');
  for (const given of text.split('\n')) {
    let [line, used] = ['', 0];
    for (const word of given.split(/\s+/).filter((w) => w !== '')) {
      const pieces = long === 'cut' ? cut(word, face, most) : [word];
      for (const piece of pieces) {
        const width = face.width(piece);
        const fits = line !== '' && used + space + width <= most && pieces.length === 1;
        if (line !== '' && !fits) lines.push(line);
        [line, used] = fits ? [`${line} ${piece}`, used + space + width] : [piece, width];
      }
    }
    lines.push(line);
  }
  return lines;
}

/** The characters of a line that begin within `most` pixels. */
export function beginning(line: string, face: Face, most: number): string {
  let [end, used] = [0, 0];
  for (const char of line) {
    if (used >= most) break;
    [end, used] = [end + char.length, used + face.width(char)];
  }
  return line.slice(0, end);
}

/** A word in pieces that fit, of at least one character each. */
function cut(word: string, face: Face, most: number): string[] {
  const pieces: string[] = [];
  let [piece, used] = ['', 0];
  for (const char of word) {
    const width = face.width(char);
    if (piece !== '' && used + width > most) {
      pieces.push(piece);
      [piece, used] = ['', 0];
    }
    [piece, used] = [piece + char, used + width];
  }
  return [...pieces, piece];
}

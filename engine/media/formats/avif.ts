/** AVIF: what its boxes say of turns and colours (ISO/IEC 23000-22, 23008-12). */
import type { Colours } from './avif-colours.ts';

/**
 * EXIF orientations by quarter turns (anticlockwise) and, behind them, no mirror, top with bottom, or left
 * with right: what Pillow makes of `irot` and `imir`.
 */
const ORIENTATIONS = [
  [1, 4, 2],
  [8, 5, 7],
  [3, 2, 4],
  [6, 7, 5],
];

/**
 * The file with its pictures as they are stored, and the orientation that it gives the main one. A decoder
 * that turns pictures with halved chroma first upsamples it in ways of its own.
 */
export function asStored(bytes: Uint8Array): { bytes: Uint8Array; orientation: number } {
  const found = propertiesOf(bytes);
  const turn = found.primary.find(({ type }) => type === 'irot');
  const mirror = found.primary.find(({ type }) => type === 'imir');
  const turns = found.all.filter(({ type, at, end }) => /^(irot|imir)$/.test(type) && at < end);
  if (turns.length === 0) return { bytes, orientation: 1 };
  const quarters = turn ? bytes[turn.at] & 3 : 0;
  const axis = mirror ? 1 + (bytes[mirror.at] & 1) : 0;
  const stored = bytes.slice();
  for (const { at } of turns) {
    // a turn by nothing: essential properties cannot be left out
    stored.set(
      [...'irot'].map((char) => char.charCodeAt(0)),
      at - 4,
    );
    stored[at] = 0;
  }
  return { bytes: stored, orientation: ORIENTATIONS[quarters][axis] };
}

/** Rows of matrices by `matrix_coefficients` (ITU-T H.273); unspecified means BT.601. */
const MATRICES: Readonly<Record<number, Colours['matrix']>> = {
  1: 'bt709',
  2: 'bt601',
  5: 'bt601',
  6: 'bt601',
  9: 'bt2020',
};

/** By the bits half width and half height. */
const SUBSAMPLINGS: Readonly<Record<number, Colours['subsampling']>> = {
  0b00: { x: 1, y: 1 },
  0b10: { x: 2, y: 1 },
  0b11: { x: 2, y: 2 },
};

/**
 * How the main picture's samples are colours, where it has colour and a matrix that is known here; undefined
 * for any other. Turns count for nothing: see `asStored`.
 */
export function coloursOf(bytes: Uint8Array): Colours | undefined {
  const { primary } = propertiesOf(bytes);
  const config = primary.find(({ type }) => type === 'av1C');
  if (config === undefined || primary.some(({ type }) => type === 'clap')) return undefined;
  // Bits: tier, high bit depth, 12 bits, monochrome, half width, half height, position (2).
  const flags = bytes[config.at + 2];
  const subsampling = (flags & 0b0001_0000) === 0 ? SUBSAMPLINGS[(flags >> 2) & 3] : undefined;
  if (subsampling === undefined) return undefined;
  const bits = (flags & 0b0100_0000) === 0 ? 8 : (flags & 0b0010_0000) === 0 ? 10 : 12;
  const said = primary.filter(({ type }) => type === 'colr');
  // Files of libheif say nothing of their colours and mean these.
  if (said.length === 0) return { bits, subsampling, matrix: 'bt601', full: true };
  const nclx = said.find(({ at }) => textAt(bytes, at, 4) === 'nclx');
  if (nclx === undefined) return undefined;
  const matrix = MATRICES[(bytes[nclx.at + 8] << 8) | bytes[nclx.at + 9]];
  const full = (bytes[nclx.at + 10] & 0x80) !== 0;
  return matrix && { bits, subsampling, matrix, full };
}

interface Box {
  readonly type: string;
  /** First byte of the content. */
  readonly at: number;
  readonly end: number;
}

function boxes(bytes: Uint8Array, from: number, to: number): Box[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Box[] = [];
  for (let at = from; at + 8 <= to;) {
    const size = view.getUint32(at);
    const end = size === 0 ? to : at + size;
    // Sizes of 64 bits are for media data, which nothing here looks into.
    if (size === 1 || end < at + 8 || end > to) break;
    found.push({ type: textAt(bytes, at + 4, 4), at: at + 8, end });
    at = end;
  }
  return found;
}

interface Properties {
  readonly all: readonly Box[];
  /** Of the main picture. */
  readonly primary: readonly Box[];
}

/** The property boxes of a file, and those of the item that `pitm` names. */
function propertiesOf(bytes: Uint8Array): Properties {
  const outer = boxes(bytes, 0, bytes.length).find(({ type }) => type === 'meta');
  const none = { all: [], primary: [] };
  if (outer === undefined) return none;
  const meta = boxes(bytes, outer.at + 4, outer.end);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const named = (list: readonly Box[], type: string): Box | undefined =>
    list.find((box) => box.type === type);
  const primary = named(meta, 'pitm');
  const groups = named(meta, 'iprp');
  if (primary === undefined || groups === undefined || primary.end < primary.at + 6) return none;
  const id =
    bytes[primary.at] === 0 ? view.getUint16(primary.at + 4) : view.getUint32(primary.at + 4);
  const parts = boxes(bytes, groups.at, groups.end);
  const container = named(parts, 'ipco');
  const links = named(parts, 'ipma');
  if (container === undefined || links === undefined) return none;
  const all = boxes(bytes, container.at, container.end);
  const wideIds = bytes[links.at] >= 1;
  const wide = (bytes[links.at + 3] & 1) === 1;
  let at = links.at + 4;
  const number = (size: 1 | 2 | 4): number => {
    if (at + size > links.end) return 0;
    at += size;
    if (size === 1) return view.getUint8(at - 1);
    return size === 2 ? view.getUint16(at - 2) : view.getUint32(at - 4);
  };
  for (let left = number(4); left > 0 && at < links.end; left--) {
    const item = number(wideIds ? 4 : 2);
    const indices = Array.from({ length: number(1) }, () =>
      wide ? number(2) & 0x7fff : number(1) & 0x7f,
    );
    if (item === id) return { all, primary: indices.flatMap((index) => all[index - 1] ?? []) };
  }
  return { all, primary: [] };
}

const textAt = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

/**
 * AVIF: what its boxes say of the colours (ISO/IEC 23000-22, 23008-12), and the reference's chroma.
 *
 * sharp's decoder repeats each chroma sample over its 2 x 2 pixels; the reference's (libavif with libyuv)
 * blends neighbours. Its pixels still hold the samples: as long as no channel is cut off at 0 or 255,
 * R - G and B - G of a block name one pair of chroma values, and any channel then names the luma.
 */

/** How many pixels share one chroma sample, across and down. */
export interface Subsampling {
  readonly x: 2;
  readonly y: 1 | 2;
}

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

/**
 * The subsampling of the main picture if its chroma is halved, where it has 8 bits and full-range BT.601 colours (what encoders
 * of web pictures write); undefined for any other. Turns count for nothing: see `asStored`.
 */
export function subsamplingOf(bytes: Uint8Array): Subsampling | undefined {
  const { primary: properties } = propertiesOf(bytes);
  const config = properties.find(({ type }) => type === 'av1C');
  const colours = properties.find(({ type }) => type === 'colr');
  if (config === undefined) return undefined;
  if (properties.some(({ type }) => type === 'clap')) return undefined;
  // Bits: tier, high bit depth, 12 bits, monochrome, half width, half height, position (2).
  const flags = bytes[config.at + 2];
  if (colours !== undefined && !isFullBt601(bytes, colours)) return undefined;
  // 4:4:4 has nothing to blend.
  if ((flags & 0b0111_1000) !== 0b1000) return undefined;
  return { x: 2, y: (flags & 0b0100) === 0 ? 1 : 2 };
}

/** Files of libheif say nothing of their colours and mean these. */
function isFullBt601(bytes: Uint8Array, { at }: Box): boolean {
  const matrix = (bytes[at + 8] << 8) | bytes[at + 9];
  const full = (bytes[at + 10] & 0x80) !== 0;
  return textAt(bytes, at, 4) === 'nclx' && full && (matrix === 5 || matrix === 6);
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

/**
 * The same picture with chroma blended between its samples; `rgb` is changed in place, or left as it is
 * when its pixels show that the decoder used other colours than those supposed.
 */
export function blendChroma(
  rgb: Uint8Array,
  size: { readonly width: number; readonly height: number },
  sub: Subsampling,
): void {
  const { width, height } = size;
  const samples = samplesOf(rgb, size, sub);
  if (samples === undefined) return;
  const { luma, cb, cr } = samples;
  const columns = (width + 1) >> 1;
  const rows = Math.ceil(height / sub.y);
  for (let y = 0, i = 0; y < height; y++) {
    const near = sub.y === 1 ? y : y >> 1;
    const beside = sub.y === 1 ? y : near + ((y & 1) === 1 ? 1 : -1);
    const row = near * columns;
    const other = beside < 0 || beside >= rows ? row : beside * columns;
    for (let x = 0; x < width; x++, i++) {
      const a = x >> 1;
      const b = x === 0 || x === width - 1 ? a : a + ((x & 1) === 1 ? 1 : -1);
      const u = blend(cb[row + a], cb[row + b], cb[other + a], cb[other + b]) - 128;
      const v = blend(cr[row + a], cr[row + b], cr[other + a], cr[other + b]) - 128;
      // libyuv's full-range BT.601: 6 bits behind the point.
      const base = ((luma[i] * 257 * 16320) >>> 16) + 32;
      rgb[i * 3] = clip((base + 90 * v) >> 6);
      rgb[i * 3 + 1] = clip((base - 22 * u - 46 * v) >> 6);
      rgb[i * 3 + 2] = clip((base + 113 * u) >> 6);
    }
  }
}

/** Three quarters of the nearer sample in each direction, rounded once. */
const blend = (near: number, side: number, beyond: number, corner: number): number =>
  (9 * near + 3 * side + 3 * beyond + corner + 8) >> 4;

const clip = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/**
 * What sharp's decoder adds to luma for chroma around 0, by Cb * 256 + Cr: for 4:2:0 with 8 bits behind
 * the point, else rounded. And back: from (R - G, B - G) to that number, -1 where no pair gives these.
 */
interface Offsets {
  readonly red: Int16Array;
  readonly green: Int16Array;
  readonly blue: Int16Array;
  readonly pairs: Int32Array;
}

const REACH = 512;
const tableIndex = (redGreen: number, blueGreen: number): number =>
  (redGreen + REACH) * REACH * 2 + blueGreen + REACH;

function makeOffsets(
  round: (u: number, v: number) => [red: number, green: number, blue: number],
): Offsets {
  const [red, green, blue] = [new Int16Array(65536), new Int16Array(65536), new Int16Array(65536)];
  const pairs = new Int32Array(4 * REACH * REACH).fill(-1);
  for (let pair = 0; pair < 65536; pair++) {
    const [u, v] = [(pair >> 8) - 128, (pair & 255) - 128];
    [red[pair], green[pair], blue[pair]] = round(u, v);
    pairs[tableIndex(red[pair] - green[pair], blue[pair] - green[pair])] = pair;
  }
  return { red, green, blue, pairs };
}

let fixed: Offsets | undefined;
let real: Offsets | undefined;

const fixedOffsets = (): Offsets =>
  (fixed ??= makeOffsets((u, v) => [
    (359 * v + 128) >> 8,
    (-88 * u - 183 * v + 128) >> 8,
    (454 * u + 128) >> 8,
  ]));

const realOffsets = (): Offsets =>
  (real ??= makeOffsets((u, v) => [
    Math.floor(1.402 * v + 0.5),
    Math.floor(-0.344136 * u - 0.714136 * v + 0.5),
    Math.floor(1.772 * u + 0.5),
  ]));

interface Samples {
  readonly luma: Uint8Array;
  readonly cb: Uint8Array;
  readonly cr: Uint8Array;
}

/** The samples that repeated chroma was made of; undefined when it was not made of them as supposed. */
function samplesOf(
  rgb: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
  sub: Subsampling,
): Samples | undefined {
  const offsets = sub.y === 2 ? fixedOffsets() : realOffsets();
  const columns = (width + 1) >> 1;
  const rows = Math.ceil(height / sub.y);
  const luma = new Uint8Array(width * height);
  const cb = new Uint8Array(columns * rows);
  const cr = new Uint8Array(columns * rows);
  let strange = 0;
  for (let row = 0, block = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, block++) {
      const area: Area = {
        from: row * sub.y * width + column * 2,
        columns: Math.min(2, width - column * 2),
        rows: Math.min(sub.y, height - row * sub.y),
        width,
      };
      const { redGreen, blueGreen } = differences(rgb, area);
      let pair = -1;
      if (redGreen !== CUT_OFF && blueGreen !== CUT_OFF) {
        pair = offsets.pairs[tableIndex(redGreen, blueGreen)];
        if (pair < 0) strange++;
      }
      if (pair < 0) {
        const left = column > 0 ? (cb[block - 1] << 8) | cr[block - 1] : NEUTRAL;
        const above = row > 0 ? (cb[block - columns] << 8) | cr[block - columns] : NEUTRAL;
        pair = nearestPair(rgb, area, [left, above, NEUTRAL], offsets);
      }
      cb[block] = pair >> 8;
      cr[block] = pair & 255;
      for (let y = 0; y < area.rows; y++) {
        for (let i = area.from + y * width, end = i + area.columns; i < end; i++) {
          luma[i] = lumaOf(rgb, i, pair, offsets);
        }
      }
    }
  }
  return strange * 64 > columns * rows ? undefined : { luma, cb, cr };
}

/** The pixels of one chroma sample. */
interface Area {
  readonly from: number;
  readonly columns: number;
  readonly rows: number;
  readonly width: number;
}

/** Cb and Cr of 128 in one number. */
const NEUTRAL = (128 << 8) | 128;

/** No pixel of a block has both channels between 0 and 255. */
const CUT_OFF = 1000;

const isWhole = (value: number): boolean => value > 0 && value < 255;

function differences(
  rgb: Uint8Array,
  { from, columns, rows, width }: Area,
): { redGreen: number; blueGreen: number } {
  let redGreen = CUT_OFF;
  let blueGreen = CUT_OFF;
  for (let y = 0; y < rows; y++) {
    for (let i = (from + y * width) * 3, end = i + columns * 3; i < end; i += 3) {
      const g = rgb[i + 1];
      if (!isWhole(g)) continue;
      if (isWhole(rgb[i])) redGreen = rgb[i] - g;
      if (isWhole(rgb[i + 2])) blueGreen = rgb[i + 2] - g;
    }
  }
  return { redGreen, blueGreen };
}

/** Where channels are cut off: a neighbour's chroma if it gives these pixels, else the pixels' own. */
function nearestPair(
  rgb: Uint8Array,
  area: Area,
  guesses: readonly number[],
  offsets: Offsets,
): number {
  const found = guesses.find((pair) => gives(rgb, area, pair, offsets));
  if (found !== undefined) return found;
  const { redGreen, blueGreen } = differences(rgb, area);
  if ((redGreen === CUT_OFF) !== (blueGreen === CUT_OFF)) {
    for (const guess of guesses) {
      for (let value = 0; value < 256; value++) {
        const pair = redGreen === CUT_OFF ? (value << 8) | (guess & 255) : (guess & 0xff00) | value;
        if (gives(rgb, area, pair, offsets)) return pair;
      }
    }
  }
  return estimate(rgb, area);
}

/** Whether chroma, with the luma that suits each pixel best, makes exactly these pixels. */
function gives(rgb: Uint8Array, area: Area, pair: number, offsets: Offsets): boolean {
  for (let y = 0; y < area.rows; y++) {
    const from = area.from + y * area.width;
    for (let i = from; i < from + area.columns; i++) {
      const luma = lumaOf(rgb, i, pair, offsets);
      if (clip(luma + offsets.red[pair]) !== rgb[i * 3]) return false;
      if (clip(luma + offsets.green[pair]) !== rgb[i * 3 + 1]) return false;
      if (clip(luma + offsets.blue[pair]) !== rgb[i * 3 + 2]) return false;
    }
  }
  return true;
}

/** The mean pixel's chroma. */
function estimate(rgb: Uint8Array, { from, columns, rows, width }: Area): number {
  let [r, g, b] = [0, 0, 0];
  for (let y = 0; y < rows; y++) {
    for (let i = (from + y * width) * 3, end = i + columns * 3; i < end; i += 3) {
      r += rgb[i];
      g += rgb[i + 1];
      b += rgb[i + 2];
    }
  }
  const count = columns * rows;
  const y = (0.299 * r + 0.587 * g + 0.114 * b) / count;
  const cb = clip(Math.round(128 + (b / count - y) / 1.772));
  return (cb << 8) | clip(Math.round(128 + (r / count - y) / 1.402));
}

/** Luma of a pixel by a channel that is whole; else the nearest to what it would be unclipped. */
function lumaOf(rgb: Uint8Array, i: number, pair: number, offsets: Offsets): number {
  const r = rgb[i * 3];
  const g = rgb[i * 3 + 1];
  const b = rgb[i * 3 + 2];
  const { red, green, blue } = offsets;
  if (isWhole(g)) return clip(g - green[pair]);
  if (isWhole(r)) return clip(r - red[pair]);
  if (isWhole(b)) return clip(b - blue[pair]);
  if (r + g + b === 0) return clip(-Math.max(red[pair], green[pair], blue[pair]));
  return clip(
    Math.max(
      r === 255 ? 255 - red[pair] : 0,
      g === 255 ? 255 - green[pair] : 0,
      b === 255 ? 255 - blue[pair] : 0,
    ),
  );
}

const textAt = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

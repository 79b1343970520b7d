/** TrueType fonts: which glyph a character has, how wide it is, and its outline. Source: Apple's and Microsoft's specification. */

/** A point of a contour in font units, y upwards; curves are quadratic, between points that lie on them. */
export interface OutlinePoint {
  readonly x: number;
  readonly y: number;
  readonly on: boolean;
}

export interface Glyph {
  /** To the start of the next glyph, in font units. */
  readonly advance: number;
  /** Closed. */
  readonly contours: readonly (readonly OutlinePoint[])[];
}

export interface Font {
  readonly unitsPerEm: number;
  /** From the baseline to the top of a line, in font units. */
  readonly ascender: number;
  /** The glyph of a code point; the one for missing characters where there is none. */
  readonly glyph: (codePoint: number) => Glyph;
}

/** Reads a font file that we ship; it is trusted, and what is not needed is not read. */
export function readFont(bytes: Uint8Array): Font {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tables = new Map<string, number>();
  for (let i = 0; i < view.getUint16(4); i++) {
    const at = 12 + i * 16;
    tables.set(String.fromCharCode(...bytes.subarray(at, at + 4)), view.getUint32(at + 8));
  }
  const table = (name: string): number => tables.get(name)!;
  const map = readCharacters(view, table('cmap'));
  const long = view.getInt16(table('head') + 50) === 1;
  const metrics = view.getUint16(table('hhea') + 34);
  const known = new Map<number, Glyph>();
  const start = (id: number): number =>
    table('glyf') +
    (long ? view.getUint32(table('loca') + id * 4) : view.getUint16(table('loca') + id * 2) * 2);
  const outline = (id: number): Contours => {
    const at = start(id);
    if (start(id + 1) === at) return [];
    return view.getInt16(at) < 0 ? composite(view, at, outline) : simple(view, at);
  };
  return {
    unitsPerEm: view.getUint16(table('head') + 18),
    ascender: view.getInt16(table('hhea') + 4),
    glyph: (codePoint) => {
      const id = map.get(codePoint) ?? 0;
      const advance = view.getUint16(table('hmtx') + Math.min(id, metrics - 1) * 4);
      const glyph = known.get(id) ?? { advance, contours: outline(id) };
      known.set(id, glyph);
      return glyph;
    },
  };
}

type Contours = readonly (readonly OutlinePoint[])[];

/** Of the segments of a format 4 table: glyphs by code point. */
function readCharacters(view: DataView, cmap: number): Map<number, number> {
  const map = new Map<number, number>();
  for (let i = 0; i < view.getUint16(cmap + 2); i++) {
    const at = cmap + view.getUint32(cmap + 8 + i * 8);
    if (view.getUint16(at) !== 4) continue;
    const size = view.getUint16(at + 6);
    const [ends, starts, deltas, offsets] = [14, 16 + size, 16 + size * 2, 16 + size * 3];
    for (let k = 0; k < size; k += 2) {
      const [first, last] = [starts, ends].map((column) => view.getUint16(at + column + k));
      const [delta, offset] = [deltas, offsets].map((column) => view.getUint16(at + column + k));
      for (let code = first; code <= last && code < 0xffff; code++) {
        const place = at + offsets + k + offset + (code - first) * 2;
        const id = offset === 0 ? code : view.getUint16(place);
        if (id !== 0) map.set(code, (id + delta) & 0xffff);
      }
    }
  }
  return map;
}

const ON = 1;
const REPEATED = 8;

function simple(view: DataView, at: number): Contours {
  const count = view.getInt16(at);
  const ends = Array.from({ length: count }, (_, i) => view.getUint16(at + 10 + i * 2));
  const total = (ends.at(-1) ?? -1) + 1;
  let next = at + 12 + count * 2 + view.getUint16(at + 10 + count * 2);
  const flags: number[] = [];
  while (flags.length < total) {
    const flag = view.getUint8(next++);
    const times = flag & REPEATED ? view.getUint8(next++) + 1 : 1;
    for (let i = 0; i < times; i++) flags.push(flag);
  }
  /** One axis: short steps have a bit for their sign, long ones are left out where nothing changes. */
  const axis = (short: number, same: number): number[] => {
    let v = 0;
    return flags.map((flag) => {
      if (flag & short) v += (flag & same ? 1 : -1) * view.getUint8(next++);
      else if (!(flag & same)) {
        v += view.getInt16(next);
        next += 2;
      }
      return v;
    });
  };
  const xs = axis(2, 16);
  const ys = axis(4, 32);
  return ends.map((end, i) => {
    const first = i === 0 ? 0 : ends[i - 1] + 1;
    return flags.slice(first, end + 1).map((flag, k) => ({
      x: xs[first + k],
      y: ys[first + k],
      on: (flag & ON) !== 0,
    }));
  });
}

/** Glyphs made of others, that are moved; scaled parts are not used by our font. */
function composite(view: DataView, at: number, outline: (id: number) => Contours): Contours {
  const parts: (readonly OutlinePoint[])[] = [];
  for (let next = at + 10, more = true; more;) {
    const flags = view.getUint16(next);
    const id = view.getUint16(next + 2);
    const words = (flags & 1) !== 0;
    const [dx, dy] = words
      ? [view.getInt16(next + 4), view.getInt16(next + 6)]
      : [view.getInt8(next + 4), view.getInt8(next + 5)];
    for (const contour of outline(id)) {
      parts.push(contour.map(({ x, y, on }) => ({ x: x + dx, y: y + dy, on })));
    }
    next += words ? 8 : 6;
    more = (flags & 32) !== 0;
  }
  return parts;
}

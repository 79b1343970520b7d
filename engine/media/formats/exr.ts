/** Our own OpenEXR writer: one part, scan lines of 32-bit floats, not compressed, with texts in the header. */
import type { NDArray } from '../../array/nd.ts';

/** The primaries and white point (CIE 1931 xy) of the colour spaces that files name: R, G, B, white. */
const CHROMATICITIES = {
  'Rec.709': [0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329],
  'Rec.2020': [0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329],
} as const;

export interface ExrOptions {
  /** The gamut that the linear values are in; nothing is said of it when absent. */
  readonly gamut?: keyof typeof CHROMATICITIES;
  /**
   * Written as `string` attributes, in UTF-8, in this order; those with the name of an attribute that
   * headers need are left out, for readers would take them for that.
   */
  readonly text?: readonly (readonly [key: string, value: string])[];
}

/** Names of the channels as files order them (alphabetically), by how many an array has. */
const CHANNELS: Readonly<Record<number, readonly string[]>> = {
  1: ['Y'],
  3: ['B', 'G', 'R'],
  4: ['A', 'B', 'G', 'R'],
};

/** Names of attributes that say how a file is read. */
const HEADER = new Set(
  (
    'channels chromaticities chunkCount compression dataWindow displayWindow lineOrder name ' +
    'pixelAspectRatio screenWindowCenter screenWindowWidth tiles type version view'
  ).split(' '),
);

/** A version-2 file; names of attributes beyond 31 bytes need a flag. */
const [MAGIC, VERSION, LONG_NAMES, SHORT_NAME] = [0x01312f76, 2, 0x400, 31];
const FLOAT = 2;

/**
 * Encodes one picture [h, w, c] of scene-linear values, c = 1 (Y), 3 (RGB) or 4 (RGBA). Throws RangeError for
 * other channels, and for a text key that a header cannot hold. Source: "OpenEXR File Layout", version 2.
 */
export function encodeExr({ data, shape }: NDArray, options: ExrOptions): Buffer {
  const { gamut } = options;
  const text = (options.text ?? []).filter(([key]) => !HEADER.has(key));
  const [height, width, count] = shape;
  const names = CHANNELS[count];
  if (!names) throw new RangeError(`EXR: expected 1, 3 or 4 channels, got ${count}`);
  const header = Buffer.concat([
    start(text),
    ...standardAttributes(names, width, height),
    ...text.map(([key, value]) => attribute(key, 'string', Buffer.from(value, 'utf8'))),
    gamut ? attribute('chromaticities', 'chromaticities', floats(CHROMATICITIES[gamut])) : nothing,
    Buffer.alloc(1),
  ]);
  const lineSize = width * count * 4;
  const chunkSize = 8 + lineSize;
  const offsets = Buffer.alloc(height * 8);
  const lines = Buffer.alloc(height * chunkSize);
  for (let y = 0; y < height; y++) {
    offsets.writeBigUInt64LE(BigInt(header.length + offsets.length + y * chunkSize), y * 8);
    lines.writeInt32LE(y, y * chunkSize);
    lines.writeInt32LE(lineSize, y * chunkSize + 4);
    writeLine(data, y * width * count, { width, count }, lines, y * chunkSize + 8);
  }
  return Buffer.concat([header, offsets, lines]);
}

/** One line, channel after channel in the order of their names: the reverse of R, G, B, but A comes first. */
function writeLine(
  data: Float32Array,
  from: number,
  { width, count }: { width: number; count: number },
  out: Buffer,
  to: number,
): void {
  const order = count === 4 ? [3, 2, 1, 0] : count === 3 ? [2, 1, 0] : [0];
  for (const channel of order) {
    for (let x = 0; x < width; x++, to += 4) out.writeFloatLE(data[from + x * count + channel], to);
  }
}

const nothing = Buffer.alloc(0);

function start(text: Required<ExrOptions>['text']): Buffer {
  const out = Buffer.alloc(8);
  const long = text.some(([key]) => Buffer.byteLength(key) > SHORT_NAME);
  out.writeUInt32LE(MAGIC, 0);
  out.writeUInt32LE(long ? VERSION | LONG_NAMES : VERSION, 4);
  return out;
}

function standardAttributes(names: readonly string[], width: number, height: number): Buffer[] {
  const window = integers([0, 0, width - 1, height - 1]);
  // Of each channel: its name, its type, whether it is perceptually linear, its sampling in x and y.
  const channels = names.map((name) =>
    Buffer.concat([Buffer.from(`${name}\0`, 'latin1'), integers([FLOAT, 0, 1, 1])]),
  );
  return [
    attribute('channels', 'chlist', Buffer.concat([...channels, Buffer.alloc(1)])),
    attribute('compression', 'compression', Buffer.from([0])),
    attribute('dataWindow', 'box2i', window),
    attribute('displayWindow', 'box2i', window),
    attribute('lineOrder', 'lineOrder', Buffer.from([0])),
    attribute('pixelAspectRatio', 'float', floats([1])),
    attribute('screenWindowCenter', 'v2f', floats([0, 0])),
    attribute('screenWindowWidth', 'float', floats([1])),
  ];
}

function attribute(name: string, type: string, value: Buffer): Buffer {
  if (name === '' || name.includes('\0') || Buffer.byteLength(name) > 255) {
    throw new RangeError(`EXR attribute '${name}': expected a name of 1 to 255 bytes`);
  }
  const head = Buffer.from(`${name}\0${type}\0`, 'utf8');
  return Buffer.concat([head, integers([value.length]), value]);
}

function integers(values: readonly number[]): Buffer {
  const out = Buffer.alloc(values.length * 4);
  values.forEach((v, i) => out.writeInt32LE(v, i * 4));
  return out;
}

function floats(values: readonly number[]): Buffer {
  const out = Buffer.alloc(values.length * 4);
  values.forEach((v, i) => out.writeFloatLE(v, i * 4));
  return out;
}

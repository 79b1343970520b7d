/**
 * The reference's colours of AVIF. sharp's decoder (libheif) repeats each chroma sample over its pixels and
 * rounds in its own ways; the reference's (libavif with libyuv) blends neighbours and has 6 bits behind the
 * point. sharp's pixels still hold the samples: as long as no channel is cut off at 0 or 255, R - G and B - G
 * name one pair of chroma values, and any channel then names the luma.
 */

/** How samples are colours. */
export interface Colours {
  /** Bits of a sample: 8, 10 or 12. */
  readonly bits: number;
  /** How many pixels share one chroma sample, across and down. */
  readonly subsampling: { readonly x: 1 | 2; readonly y: 1 | 2 };
  readonly matrix: 'bt601' | 'bt709' | 'bt2020';
  /** Luma goes from 0 to 255; else (of 8 bits) from 16 to 235, and chroma from 16 to 240. */
  readonly full: boolean;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** sharp's pixels, RGB with as many bits as the samples have. */
type Pixels = Uint8Array | Uint16Array;

/**
 * Writes the picture of `decoded`, sharp's pixels, into `rgb` as the reference reads it; the reference drops
 * what samples have beyond 8 bits. `rgb` is left as it is when the pixels show that the decoder used other
 * colours than those supposed.
 */
export function likeReference(
  rgb: Uint8Array,
  decoded: Pixels,
  { width, height }: Size,
  colours: Colours,
): void {
  const samples = samplesOf(decoded, { width, height }, colours);
  if (samples === undefined) return;
  const { luma, cb, cr } = samples;
  const sub = colours.subsampling;
  const { blueU, greenU, greenV, redV, scale, bias } = fixedPoint(colours);
  const columns = Math.ceil(width / sub.x);
  const rows = Math.ceil(height / sub.y);
  for (let y = 0, i = 0; y < height; y++) {
    const near = sub.y === 1 ? y : y >> 1;
    const beside = sub.y === 1 ? y : near + ((y & 1) === 1 ? 1 : -1);
    const row = near * columns;
    const other = beside < 0 || beside >= rows ? row : beside * columns;
    for (let x = 0; x < width; x++, i++) {
      const a = sub.x === 1 ? x : x >> 1;
      const b = sub.x === 1 || x === 0 || x === width - 1 ? a : a + ((x & 1) === 1 ? 1 : -1);
      const u = blend(cb[row + a], cb[row + b], cb[other + a], cb[other + b]) - 128;
      const v = blend(cr[row + a], cr[row + b], cr[other + a], cr[other + b]) - 128;
      const base = ((luma[i] * 257 * scale) >> 16) + bias;
      rgb[i * 3] = clip((base + redV * v) >> 6, 255);
      rgb[i * 3 + 1] = clip((base - greenU * u - greenV * v) >> 6, 255);
      rgb[i * 3 + 2] = clip((base + blueU * u) >> 6, 255);
    }
  }
}

/** Three quarters of the nearer sample in each direction, rounded once. */
const blend = (near: number, side: number, beyond: number, corner: number): number =>
  (9 * near + 3 * side + 3 * beyond + corner + 8) >> 4;

const clip = (value: number, most: number): number => (value < 0 ? 0 : value > most ? most : value);

/** Shares of red and blue in luma (ITU-R BT.601, 709, 2020). */
const SHARES = {
  bt601: { red: 0.299, blue: 0.114 },
  bt709: { red: 0.2126, blue: 0.0722 },
  bt2020: { red: 0.2627, blue: 0.0593 },
} satisfies Readonly<Record<Colours['matrix'], { red: number; blue: number }>>;

/** What chroma adds to red, green and blue: multiples of Cr, Cb and Cr, Cb. */
function multiples({ matrix }: Colours): {
  redV: number;
  greenU: number;
  greenV: number;
  blueU: number;
} {
  const { red, blue } = SHARES[matrix];
  const green = 1 - red - blue;
  const [redV, blueU] = [2 * (1 - red), 2 * (1 - blue)];
  return { redV, blueU, greenU: (-blueU * blue) / green, greenV: (-redV * red) / green };
}

/** libyuv's multiples, 6 bits behind the point; luma's has 16 more, and its blue of limited range stops at 2. */
function fixedPoint(colours: Colours) {
  const { redV, greenU, greenV, blueU } = multiples(colours);
  const gain = colours.full ? 1 : 255 / 224;
  const fixed = (value: number): number => Math.round(Math.abs(value) * gain * 64);
  const [slope, offset] = colours.full ? [1, 0] : [LUMA_SLOPE[colours.matrix], 16];
  return {
    redV: fixed(redV),
    greenU: fixed(greenU),
    greenV: fixed(greenV),
    blueU: Math.min(fixed(blueU), 128),
    scale: Math.round((slope * 64 * 65536) / 257),
    bias: Math.round(32 - slope * 64 * offset),
  };
}

/** 255 / 219, with as many digits as libyuv has of it. */
const LUMA_SLOPE = { bt601: 1.164, bt709: 1.164, bt2020: 1.164384 };

/** For limited range sharp's slopes are near 255/219 and 255/224, and nothing is rounded before the end. */
const LIMITED = { slope: 1.1689, gain: 1.1429 };

/** What sharp's decoder makes of luma, and what it adds for chroma (around 0). */
interface Decoder {
  /** Bits beyond 8. */
  readonly shift: number;
  /** Chroma around 0 is at least -half and less than half. */
  readonly half: number;
  /** The largest value of a channel. */
  readonly most: number;
  readonly slope: number;
  readonly offset: number;
  readonly redV: number;
  readonly greenU: number;
  readonly greenV: number;
  readonly blueU: number;
  /** What is added is rounded alone. */
  readonly rounds: boolean;
}

/** Full range of 8 bits in 4:2:0 is computed with 8 bits behind the point, all else as it is. */
function decoderOf(colours: Colours): Decoder {
  const { bits, full, subsampling } = colours;
  const fixed = full && bits === 8 && subsampling.y === 2;
  const exactly = (value: number): number =>
    fixed ? Math.round(value * 256) / 256 : value * (full ? 1 : LIMITED.gain);
  const { redV, greenU, greenV, blueU } = multiples(colours);
  return {
    shift: bits - 8,
    half: 2 ** (bits - 1),
    most: 2 ** bits - 1,
    slope: full ? 1 : LIMITED.slope,
    offset: full ? 0 : 2 ** (bits - 4),
    redV: exactly(redV),
    greenU: exactly(greenU),
    greenV: exactly(greenV),
    blueU: exactly(blueU),
    rounds: full,
  };
}

/** The planes of samples, of 8 bits. */
interface Samples {
  readonly luma: Uint8Array;
  readonly cb: Uint8Array;
  readonly cr: Uint8Array;
}

/** Pixels of one chroma sample, and what is tried and seen there; one object for all of a picture. */
interface Block {
  readonly rgb: Pixels;
  readonly width: number;
  /** The whole plane, of 8 bits: what suits the chroma that was tried last. */
  readonly luma: Uint8Array;
  /** The first pixel, and how many across and down. */
  from: number;
  columns: number;
  rows: number;
  /** R - G and B - G of a pixel where neither is cut off; CUT_OFF where there is none. */
  redGreen: number;
  blueGreen: number;
  /** The chroma that is tried, around 0, and what it adds to the channels. */
  u: number;
  v: number;
  red: number;
  green: number;
  blue: number;
}

const CUT_OFF = 100_000;

/** The samples that repeated chroma was made of; undefined when it was not made of them as supposed. */
function samplesOf(rgb: Pixels, { width, height }: Size, colours: Colours): Samples | undefined {
  const decoder = decoderOf(colours);
  const sub = colours.subsampling;
  const columns = Math.ceil(width / sub.x);
  const rows = Math.ceil(height / sub.y);
  const luma = new Uint8Array(width * height);
  const [us, vs] = [new Int16Array(columns * rows), new Int16Array(columns * rows)];
  const zero = { from: 0, columns: 0, rows: 0, redGreen: 0, blueGreen: 0 };
  const block: Block = { rgb, width, luma, ...zero, u: 0, v: 0, red: 0, green: 0, blue: 0 };
  let strange = 0;
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      block.from = row * sub.y * width + column * sub.x;
      block.columns = Math.min(sub.x, width - column * sub.x);
      block.rows = Math.min(sub.y, height - row * sub.y);
      look(block, decoder.most);
      if (!findExactly(block, decoder)) {
        if (block.redGreen !== CUT_OFF && block.blueGreen !== CUT_OFF) strange++;
        const left = column > 0 ? at - 1 : -1;
        const above = row > 0 ? at - columns : -1;
        guess(block, decoder, { us, vs, neighbours: [left, above, -1] });
      }
      us[at] = block.u;
      vs[at] = block.v;
    }
  }
  if (strange * 64 > columns * rows) return undefined;
  const plane = (values: Int16Array): Uint8Array => {
    const samples = new Uint8Array(values.length);
    for (let i = 0; i < samples.length; i++)
      samples[i] = (values[i] + decoder.half) >> decoder.shift;
    return samples;
  };
  return { luma, cb: plane(us), cr: plane(vs) };
}

/** Notes the differences of channels. */
function look(block: Block, most: number): void {
  const { rgb, from, columns, rows, width } = block;
  block.redGreen = CUT_OFF;
  block.blueGreen = CUT_OFF;
  for (let y = 0; y < rows; y++) {
    for (let i = (from + y * width) * 3, end = i + columns * 3; i < end; i += 3) {
      const g = rgb[i + 1];
      if (g === 0 || g === most) continue;
      if (rgb[i] > 0 && rgb[i] < most) block.redGreen = rgb[i] - g;
      if (rgb[i + 2] > 0 && rgb[i + 2] < most) block.blueGreen = rgb[i + 2] - g;
    }
  }
}

/** Rounding moves what is seen of chroma by one at most. */
const NEAR = [0, 1, -1];

/** Finds the chroma that makes exactly these pixels, by their differences. */
function findExactly(block: Block, decoder: Decoder): boolean {
  const { redGreen, blueGreen } = block;
  if (redGreen === CUT_OFF || blueGreen === CUT_OFF) return false;
  solve(block, redGreen, blueGreen, decoder);
  const { u, v } = block;
  if (tryChroma(block, u, v, decoder)) return true;
  for (const a of NEAR) {
    for (const b of NEAR) if (tryChroma(block, u + a, v + b, decoder)) return true;
  }
  return false;
}

/** The nearest chroma to two differences. */
function solve(block: Block, redGreen: number, blueGreen: number, decoder: Decoder): void {
  const { redV, greenU, greenV, blueU, half } = decoder;
  const r = redV - greenV;
  const b = blueU - greenU;
  const determinant = r * b - greenU * greenV;
  const u = Math.round((r * blueGreen + greenV * redGreen) / determinant);
  const v = Math.round((b * redGreen + greenU * blueGreen) / determinant);
  block.u = Math.max(-half, Math.min(half - 1, u));
  block.v = Math.max(-half, Math.min(half - 1, v));
}

/**
 * Where channels are cut off: a neighbour's chroma, or none, if it gives these pixels; then with the half of
 * it that is seen; else the mean pixel's.
 */
function guess(
  block: Block,
  decoder: Decoder,
  known: { us: Int16Array; vs: Int16Array; neighbours: readonly number[] },
): void {
  const { redGreen, blueGreen } = block;
  const { redV, greenU, greenV, blueU } = decoder;
  for (const at of known.neighbours) {
    if (tryChroma(block, at < 0 ? 0 : known.us[at], at < 0 ? 0 : known.vs[at], decoder)) return;
  }
  if ((redGreen === CUT_OFF) !== (blueGreen === CUT_OFF)) {
    for (const at of known.neighbours) {
      const [u, v] = at < 0 ? [0, 0] : [known.us[at], known.vs[at]];
      for (const step of NEAR) {
        const found =
          blueGreen === CUT_OFF
            ? tryChroma(
                block,
                u,
                Math.round((redGreen + greenU * u) / (redV - greenV)) + step,
                decoder,
              )
            : tryChroma(
                block,
                Math.round((blueGreen + greenV * v) / (blueU - greenU)) + step,
                v,
                decoder,
              );
        if (found) return;
      }
    }
  }
  const { rgb, from, columns, rows, width } = block;
  let [meanRed, meanBlue] = [0, 0];
  for (let y = 0; y < rows; y++) {
    for (let i = (from + y * width) * 3, end = i + columns * 3; i < end; i += 3) {
      meanRed += (rgb[i] - rgb[i + 1]) / (columns * rows);
      meanBlue += (rgb[i + 2] - rgb[i + 1]) / (columns * rows);
    }
  }
  solve(block, meanRed, meanBlue, decoder);
  tryChroma(block, block.u, block.v, decoder);
}

/** Puts chroma into the block; whether it makes exactly these pixels with the luma that suits each best. */
function tryChroma(block: Block, u: number, v: number, decoder: Decoder): boolean {
  const { redV, greenU, greenV, blueU, rounds, slope, offset, most, shift } = decoder;
  const r = redV * v;
  const g = greenU * u + greenV * v;
  const b = blueU * u;
  block.u = u;
  block.v = v;
  block.red = rounds ? Math.floor(r + 0.5) : r;
  block.green = rounds ? Math.floor(g + 0.5) : g;
  block.blue = rounds ? Math.floor(b + 0.5) : b;
  const { rgb, luma, from, columns, rows, width, red, green, blue } = block;
  let exact = true;
  for (let y = 0; y < rows; y++) {
    for (let i = from + y * width, end = i + columns; i < end; i++) {
      const sample = lumaOf(block, i, decoder);
      luma[i] = sample >> shift;
      const grey = (sample - offset) * slope + 0.5;
      exact &&=
        clip(Math.floor(grey + red), most) === rgb[i * 3] &&
        clip(Math.floor(grey + green), most) === rgb[i * 3 + 1] &&
        clip(Math.floor(grey + blue), most) === rgb[i * 3 + 2];
    }
  }
  return exact;
}

/** Luma of a pixel by a channel that is whole; else the nearest to what it would be unclipped. */
function lumaOf({ rgb, red, green, blue }: Block, i: number, decoder: Decoder): number {
  const { most, slope, offset } = decoder;
  const r = rgb[i * 3];
  const g = rgb[i * 3 + 1];
  const b = rgb[i * 3 + 2];
  let grey: number;
  if (g > 0 && g < most) grey = g - green;
  else if (r > 0 && r < most) grey = r - red;
  else if (b > 0 && b < most) grey = b - blue;
  else if (r + g + b === 0) grey = -Math.max(red, green, blue);
  else {
    grey = Math.max(
      r === most ? most - red : 0,
      g === most ? most - green : 0,
      b === most ? most - blue : 0,
    );
  }
  return clip(Math.round(grey / slope) + offset, most);
}

/** Layers over each other: the blend modes of layer editors, on linear light and on sRGB. */
import { linearToSrgb, srgbToLinear } from './lab.ts';

/** Differences below this count as none. */
const LEAST = 1e-6;

/** Shares of red, green and blue in brightness, of light in the D50 white that layer editors compute with. */
const LUMINANCE = [0.2224884, 0.71690369, 0.06060791];

const ratio = (a: number, b: number): number => (Math.abs(b) >= LEAST ? a / b : 0);

const dodge = (i: number, l: number): number =>
  i <= 0 ? 0 : 1 - l <= LEAST ? 1 : Math.min(ratio(i, 1 - l), 1);
const burn = (i: number, l: number): number =>
  i >= 1 ? 1 : l <= LEAST ? 0 : 1 - Math.min(ratio(1 - i, l), 1);

/** What becomes of a channel of the picture below (i) under one of the layer (l). */
type Channel = (i: number, l: number) => number;
/** The same for whole colours, written to the last argument. */
type Colours = (i: Triple, l: Triple, out: Triple) => void;
type Triple = Float64Array;

interface Mode {
  /** Whether colours are encoded as sRGB while they are blended. */
  readonly encoded: boolean;
  /** Whether the layer only changes what is there, and adds nothing to its alpha. */
  readonly clipped: boolean;
  readonly blend: Colours;
}

const onEach =
  (f: Channel): Colours =>
  (i, l, out) => {
    for (let c = 0; c < 3; c++) out[c] = f(i[c], l[c]);
  };
const linear = (f: Channel): Mode => ({ encoded: false, clipped: true, blend: onEach(f) });
const encoded = (f: Channel): Mode => ({ encoded: true, clipped: true, blend: onEach(f) });
const coloured = (blend: Colours): Mode => ({ encoded: true, clipped: true, blend });

const NORMAL: Mode = { encoded: false, clipped: false, blend: onEach((_, l) => l) };

/** By the names that nodes and the editor have, in the order of their lists. */
const MODES: Readonly<Record<string, Mode>> = {
  normal: NORMAL,
  multiply: linear((i, l) => i * l),
  screen: encoded((i, l) => 1 - (1 - i) * (1 - l)),
  overlay: encoded((i, l) => (i < 0.5 ? 2 * i * l : 1 - 2 * (1 - l) * (1 - i))),
  darken: linear(Math.min),
  lighten: linear(Math.max),
  'color-dodge': encoded(dodge),
  'color-burn': encoded(burn),
  'hard-light': encoded((i, l) =>
    Math.min(l > 0.5 ? 1 - (1 - i) * (1 - (l - 0.5) * 2) : i * (l * 2), 1),
  ),
  'soft-light': encoded((i, l) => (1 - i) * (i * l) + i * (1 - (1 - i) * (1 - l))),
  difference: encoded((i, l) => Math.abs(i - l)),
  exclusion: encoded((i, l) => 0.5 - 2 * (i - 0.5) * (l - 0.5)),
  'linear-dodge': linear((i, l) => i + l),
  'linear-burn': encoded((i, l) => i + l - 1),
  'vivid-light': encoded((i, l) =>
    l <= 0.5 ? Math.max(burn(i, 2 * l), 0) : dodge(i, 1 - 2 * (1 - l)),
  ),
  'pin-light': encoded((i, l) => (l > 0.5 ? Math.max(i, 2 * (l - 0.5)) : Math.min(i, 2 * l))),
  'linear-light': encoded((i, l) => i + 2 * l - 1),
  'hard-mix': encoded((i, l) => (Math.fround(i + l) < 1 ? 0 : 1)),
  subtract: linear((i, l) => Math.max(i - l, 0)),
  divide: linear((i, l) => Math.min(Math.max(i / Math.max(l, LEAST), 0), 1)),
  'grain-extract': encoded((i, l) => i - l + 0.5),
  'grain-merge': encoded((i, l) => i + l - 0.5),
  hue: coloured(withHue),
  saturation: coloured(withSaturation),
  color: coloured(withColour),
  luminosity: { encoded: false, clipped: true, blend: withLuminosity },
};

/** The names of the modes, in the order in which nodes list them. */
export const LAYER_MODES: readonly string[] = Object.keys(MODES);

const least = (c: Triple): number => Math.min(c[0], c[1], c[2]);
const most = (c: Triple): number => Math.max(c[0], c[1], c[2]);

/** out = colour · k + offset. */
function scaled(colour: Triple, k: number, offset: number, out: Triple): void {
  for (let c = 0; c < 3; c++) out[c] = colour[c] * k + offset;
}

/** HSV: the layer's hue, the saturation and value below. */
function withHue(i: Triple, l: Triple, out: Triple): void {
  const span = most(l) - least(l);
  if (span <= LEAST) return out.set(i);
  const top = most(i);
  const saturation = top !== 0 ? (top - least(i)) / top : 0;
  const k = (saturation * top) / span;
  scaled(l, k, top - most(l) * k, out);
}

/** HSV: the layer's saturation, the hue and value below. */
function withSaturation(i: Triple, l: Triple, out: Triple): void {
  const [top, span] = [most(i), most(i) - least(i)];
  if (span <= LEAST) return void out.fill(top);
  const saturation = most(l) !== 0 ? (most(l) - least(l)) / most(l) : 0;
  const k = (saturation * top) / span;
  scaled(i, k, (1 - k) * top, out);
}

/** HSL: the layer's hue and saturation, the lightness below. */
function withColour(i: Triple, l: Triple, out: Triple): void {
  const below = (least(i) + most(i)) / 2;
  const above = (least(l) + most(l)) / 2;
  if (Math.abs(above) <= LEAST || Math.abs(1 - above) <= LEAST) return void out.fill(below);
  const room = Math.min(below, 1 - below);
  const k = room / Math.min(above, 1 - above);
  const lift = (below > 0.5 ? 1 - 2 * room : 0) + (above > 0.5 ? 2 * room - k : 0);
  scaled(l, k, lift, out);
}

/** The colour below, made as bright as the layer; grey where it is black. */
function withLuminosity(i: Triple, l: Triple, out: Triple): void {
  const brightness = (c: Triple): number =>
    c[0] * LUMINANCE[0] + c[1] * LUMINANCE[1] + c[2] * LUMINANCE[2];
  const below = brightness(i);
  if (below <= LEAST) out.fill(brightness(l));
  else scaled(i, brightness(l) / below, 0, out);
}

/** RGBA in linear light, row-major. */
export interface LinearPicture {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Puts a layer on a canvas in place, its corner at (left, top), what lies outside left out. Unknown modes count as
 * normal. Source: the blend and composite operations of GEGL, which layer editors share.
 */
export function blendLayer(
  canvas: LinearPicture,
  layer: LinearPicture,
  { left, top, mode, opacity }: { left: number; top: number; mode: string; opacity: number },
): void {
  const { encoded, clipped, blend } = Object.hasOwn(MODES, mode) ? MODES[mode] : NORMAL;
  const toSpace = encoded ? (v: number): number => Math.fround(linearToSrgb(v)) : same;
  const fromSpace = encoded ? srgbToLinear : same;
  const [i, l, mixed] = [new Float64Array(3), new Float64Array(3), new Float64Array(3)];
  const { data } = canvas;
  for (let y = Math.max(0, -top); y < layer.height && y + top < canvas.height; y++) {
    for (let x = Math.max(0, -left); x < layer.width && x + left < canvas.width; x++) {
      const from = (y * layer.width + x) * 4;
      const to = ((y + top) * canvas.width + x + left) * 4;
      const above = layer.data[from + 3] * opacity;
      const below = data[to + 3];
      if (above === 0 || (clipped && below === 0)) continue;
      for (let c = 0; c < 3; c++) {
        i[c] = toSpace(data[to + c]);
        l[c] = toSpace(layer.data[from + c]);
      }
      blend(i, l, mixed);
      const alpha = clipped ? below : above + (1 - above) * below;
      for (let c = 0; c < 3; c++) {
        const [was, colour, both] = [data[to + c], layer.data[from + c], fromSpace(mixed[c])];
        if (clipped) data[to + c] = both * above + was * (1 - above);
        else if (below === 0) data[to + c] = colour;
        else data[to + c] = (above / alpha) * (below * (both - colour) + colour - was) + was;
      }
      data[to + 3] = alpha;
    }
  }
}

const same = (v: number): number => v;

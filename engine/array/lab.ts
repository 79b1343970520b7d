/** sRGB, linear light and CIE L*a*b* (D65, 2°), with the numbers that kornia uses. */

/** The transfer curve of IEC 61966-2-1 undone: one channel as linear light. */
export const srgbToLinear = (v: number): number =>
  v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92;

/** Its reverse. */
export const linearToSrgb = (v: number): number =>
  v > 0.0031308 ? 1.055 * v ** (1 / 2.4) - 0.055 : 12.92 * v;

const WHITE = [0.95047, 1, 1.08883];

/** Linear RGB to CIE XYZ and back; the digits differ from one source to the next. */
export interface XyzMatrices {
  readonly to: readonly (readonly number[])[];
  readonly from: readonly (readonly number[])[];
  /** What the curve of Z is at least on the way back. */
  readonly leastZ: number;
}

/** Kornia's digits. */
const KORNIA: XyzMatrices = {
  to: [
    [0.412453, 0.35758, 0.180423],
    [0.212671, 0.71516, 0.072169],
    [0.019334, 0.119193, 0.950227],
  ],
  from: [
    [3.2404813432005266, -1.5371515162713185, -0.4985363261688878],
    [-0.9692549499965682, 1.8759900014898907, 0.0415559265582928],
    [0.0556466391351772, -0.2040413383665112, 1.0573110696453443],
  ],
  leastZ: 0,
};

/** Pixels of three channels, values 0..1, as L (0..100), a and b, interleaved, in double precision. */
export function rgbToLab(rgb: ArrayLike<number>, { to } = KORNIA): Float64Array {
  const out = new Float64Array(rgb.length);
  for (let i = 0; i < out.length; i += 3) {
    const r = srgbToLinear(rgb[i]);
    const g = srgbToLinear(rgb[i + 1]);
    const b = srgbToLinear(rgb[i + 2]);
    const [x, y, z] = to.map((row, k) => curve((row[0] * r + row[1] * g + row[2] * b) / WHITE[k]));
    out[i] = 116 * y - 16;
    out[i + 1] = 500 * (x - y);
    out[i + 2] = 200 * (y - z);
  }
  return out;
}

/** Back; values are limited to 0..1. */
export function labToRgb(lab: ArrayLike<number>, { from, leastZ } = KORNIA): Float32Array {
  const out = new Float32Array(lab.length);
  for (let i = 0; i < out.length; i += 3) {
    const y = (lab[i] + 16) / 116;
    const x = lab[i + 1] / 500 + y;
    const z = Math.max(leastZ, y - lab[i + 2] / 200);
    const xyz = [x, y, z].map((v, k) => uncurve(v) * WHITE[k]);
    from.forEach((row, k) => {
      const linear = row[0] * xyz[0] + row[1] * xyz[1] + row[2] * xyz[2];
      out[i + k] = Math.min(1, Math.max(0, linearToSrgb(linear)));
    });
  }
  return out;
}

const curve = (v: number): number => (v > 0.008856 ? Math.cbrt(v) : 7.787 * v + 4 / 29);
const uncurve = (v: number): number => (v > 0.2068966 ? v ** 3 : (v - 4 / 29) / 7.787);

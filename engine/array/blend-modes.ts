/** Two pictures into one: blend modes and Porter-Duff compositing. */
import { type NDArray, nd, sameShape } from './nd.ts';
import { clamp } from './round.ts';

export type BlendMode = 'normal' | 'multiply' | 'screen' | 'overlay' | 'soft_light' | 'difference';

const MODES: Readonly<Record<BlendMode, (a: number, b: number) => number>> = {
  normal: (_, b) => b,
  multiply: (a, b) => a * b,
  screen: (a, b) => 1 - (1 - a) * (1 - b),
  overlay: (a, b) => (a <= 0.5 ? 2 * a * b : 1 - 2 * (1 - a) * (1 - b)),
  soft_light: (a, b) =>
    b <= 0.5 ? a - (1 - 2 * b) * a * (1 - a) : a + (2 * b - 1) * (softLight(a) - a),
  difference: (a, b) => a - b,
};

const softLight = (x: number): number => (x <= 0.25 ? ((16 * x - 12) * x + 4) * x : Math.sqrt(x));

/** a·(1 − factor) + mode(a, b)·factor, limited to 0..1. Throws RangeError when the shapes differ. */
export function blend(a: NDArray, b: NDArray, mode: BlendMode, factor: number): NDArray {
  if (!sameShape(a.shape, b.shape)) {
    throw new RangeError(`blend: shapes [${a.shape.join()}] and [${b.shape.join()}] differ`);
  }
  const f = MODES[mode];
  const out = new Float32Array(a.data.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = clamp(a.data[i] * (1 - factor) + f(a.data[i], b.data[i]) * factor, 0, 1);
  }
  return nd(out, a.shape);
}

/** Source and destination colour times their alphas, and the alphas. */
interface Operands {
  readonly s: number;
  readonly d: number;
  readonly sa: number;
  readonly da: number;
}

interface PorterDuffRule {
  readonly colour: (p: Operands) => number;
  readonly alpha: (p: Operands) => number;
}

const union = ({ sa, da }: Operands): number => sa + da - sa * da;
const both = ({ sa, da }: Operands): number => sa * da;
/** What each side shows where the other is transparent. */
const apart = ({ s, d, sa, da }: Operands): number => (1 - da) * s + (1 - sa) * d;

const PORTER_DUFF = {
  ADD: {
    colour: ({ s, d }) => clamp(s + d, 0, 1),
    alpha: ({ sa, da }) => clamp(sa + da, 0, 1),
  },
  CLEAR: { colour: () => 0, alpha: () => 0 },
  DARKEN: { colour: (p) => apart(p) + Math.min(p.s, p.d), alpha: union },
  DST: { colour: ({ d }) => d, alpha: ({ da }) => da },
  DST_ATOP: { colour: ({ s, d, sa, da }) => sa * d + (1 - da) * s, alpha: ({ sa }) => sa },
  DST_IN: { colour: ({ d, sa }) => d * sa, alpha: both },
  DST_OUT: { colour: ({ d, sa }) => (1 - sa) * d, alpha: ({ sa, da }) => (1 - sa) * da },
  DST_OVER: { colour: ({ s, d, da }) => d + (1 - da) * s, alpha: union },
  LIGHTEN: { colour: (p) => apart(p) + Math.max(p.s, p.d), alpha: union },
  MULTIPLY: { colour: ({ s, d }) => s * d, alpha: both },
  OVERLAY: {
    colour: ({ s, d, sa, da }) => (2 * d < da ? 2 * s * d : sa * da - 2 * (da - s) * (sa - d)),
    alpha: union,
  },
  SCREEN: { colour: ({ s, d }) => s + d - s * d, alpha: union },
  SRC: { colour: ({ s }) => s, alpha: ({ sa }) => sa },
  SRC_ATOP: { colour: ({ s, d, sa, da }) => da * s + (1 - sa) * d, alpha: ({ da }) => da },
  SRC_IN: { colour: ({ s, da }) => s * da, alpha: both },
  SRC_OUT: { colour: ({ s, da }) => (1 - da) * s, alpha: ({ sa, da }) => (1 - da) * sa },
  SRC_OVER: { colour: ({ s, d, sa }) => s + (1 - sa) * d, alpha: union },
  XOR: { colour: apart, alpha: ({ sa, da }) => (1 - da) * sa + (1 - sa) * da },
} satisfies Record<string, PorterDuffRule>;

export type PorterDuffMode = keyof typeof PORTER_DUFF;

export const porterDuffModes = Object.keys(PORTER_DUFF) as readonly PorterDuffMode[];

/**
 * Composites pictures [b, h, w, c] with masks [b, h, w] (1 = transparent), all of one size.
 * Returns the colours divided by the new alpha (0 where that is nearly 0) and the new mask.
 */
export function porterDuff(
  source: { image: NDArray; mask: NDArray },
  destination: { image: NDArray; mask: NDArray },
  mode: PorterDuffMode,
): { image: NDArray; mask: NDArray } {
  const { colour, alpha }: PorterDuffRule = PORTER_DUFF[mode];
  const channels = destination.image.shape[3];
  const image = new Float32Array(destination.image.data.length);
  const mask = new Float32Array(destination.mask.data.length);
  for (let i = 0; i < mask.length; i++) {
    const sa = 1 - source.mask.data[i];
    const da = 1 - destination.mask.data[i];
    const a = alpha({ s: 0, d: 0, sa, da });
    mask[i] = 1 - a;
    for (let k = i * channels; k < (i + 1) * channels; k++) {
      const v = colour({ s: source.image.data[k] * sa, d: destination.image.data[k] * da, sa, da });
      image[k] = a > 1e-5 ? clamp(v / a, 0, 1) : 0;
    }
  }
  return {
    image: nd(image, destination.image.shape),
    mask: nd(mask, destination.mask.shape),
  };
}

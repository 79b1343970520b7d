/** Encoded pictures as linear light. */
import { type NDArray, nd } from './nd.ts';
import { srgbToLinear } from './lab.ts';

/** Constants of the hybrid log-gamma curve (ITU-R BT.2100, table 5). */
const [A, B, C] = [0.17883277, 0.28466892, 0.55991072928];

/** BT.2100's hybrid log-gamma signal as scene-linear light, both 0..1; higher values go on along the curve. */
const hlgToLinear = (v: number): number =>
  v <= 0.5 ? (v * v) / 3 : (Math.exp((v - C) / A) + B) / 12;

const CURVES = { sRGB: srgbToLinear, HDR: hlgToLinear, linear: (v: number): number => v } as const;

/** How a picture is encoded: IEC 61966-2-1, BT.2100's HLG, or not at all. */
export type Encoding = keyof typeof CURVES;

/** A picture [..., c] as linear light, nothing limited; a fourth channel (alpha) stays. */
export function toLinearLight({ data, shape }: NDArray, encoding: Encoding): NDArray {
  const curve = CURVES[encoding];
  const alpha = shape[shape.length - 1] === 4;
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = alpha && i % 4 === 3 ? data[i] : curve(data[i]);
  return nd(out, shape);
}

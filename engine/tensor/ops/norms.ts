/** Norms over channels or features. */
import { sizeOf } from '../../array/nd.ts';
import { type HostTensor, sumOver } from '../host.ts';
import { expectShape, expectVector } from '../shape-rules.ts';
import { dimText, floorDivDim, sizeOfShape } from '../shape.ts';
import { type Tensor, node, opTable, row } from '../tensor.ts';
import { add, div, mul, sqrt, sub } from './elementwise.ts';
import { reshape } from './movement.ts';
import { mean } from './reductions.ts';

export const normOps = opTable({
  /** x [b, c, ...spatial], weight [c] and bias [c] or neither. */
  groupNorm: row<{ readonly groups: number; readonly eps: number }>({
    shape: ([x, weight, bias], { groups }) => {
      const channels = x.shape[1];
      expectShape(
        typeof channels === 'number' && channels % groups === 0,
        `${dimText(channels)} channels do not fall into ${groups} groups`,
      );
      expectVector(weight, channels, 'weight');
      expectVector(bias, channels, 'bias');
      return x.shape;
    },
    kernel: ([x, weight, bias], { groups, eps }) => {
      const channels = x.shape[1];
      const area = sizeOf(x.shape.slice(2));
      return normalise(x, (channels / groups) * area, { eps, centre: true }, (y, flat) => {
        const channel = Math.floor(flat / area) % channels;
        return weight ? y * weight.data[channel] + bias.data[channel] : y;
      });
    },
    decompose: ({ inputs: [x, weight, bias], attrs: { groups, eps } }) => {
      const grouped = [x.shape[0], groups, floorDivDim(sizeOfShape(x.shape.slice(1)), groups)];
      const y = reshape(standardise(reshape(x, grouped), eps), x.shape);
      const perChannel = [x.shape[1], ...x.shape.slice(2).map(() => 1)];
      return scaleAndShift(
        y,
        weight && reshape(weight, perChannel),
        bias && reshape(bias, perChannel),
      );
    },
    longSum: true,
  }),
  /** x [..., c], weight [c] or none, bias [c] or none; over the last axis. */
  layerNorm: row<{ readonly eps: number }>({
    shape: ([x, weight, bias]) => {
      expectVector(weight, x.shape.at(-1)!, 'weight');
      expectVector(bias, x.shape.at(-1)!, 'bias');
      return x.shape;
    },
    kernel: ([x, weight, bias], { eps }) => {
      const n = x.shape.at(-1)!;
      return normalise(x, n, { eps, centre: true }, (y, flat) => {
        return y * (weight?.data[flat % n] ?? 1) + (bias?.data[flat % n] ?? 0);
      });
    },
    decompose: ({ inputs: [x, weight, bias], attrs: { eps } }) =>
      scaleAndShift(standardise(x, eps), weight, bias),
    longSum: true,
  }),
  /** x [..., c], weight [c] or none; over the last axis. */
  rmsNorm: row<{ readonly eps: number }>({
    shape: ([x, weight]) => {
      expectVector(weight, x.shape.at(-1)!, 'weight');
      return x.shape;
    },
    kernel: ([x, weight], { eps }) => {
      const n = x.shape.at(-1)!;
      return normalise(x, n, { eps, centre: false }, (y, i) => y * (weight?.data[i % n] ?? 1));
    },
    decompose: ({ inputs: [x, weight], attrs: { eps } }) => {
      const root = sqrt(add(mean(mul(x, x), -1, { keep: true }), eps));
      return scaleAndShift(div(x, root), weight);
    },
    longSum: true,
  }),
});

/** Layer norm without weights. */
export const plainLayerNorm = (x: Tensor, { eps = 1e-5 }: { eps?: number } = {}): Tensor =>
  node(normOps.layerNorm, [x], { eps });

/** Root-mean-square norm without weights. */
export const plainRmsNorm = (x: Tensor, { eps = 1e-6 }: { eps?: number } = {}): Tensor =>
  node(normOps.rmsNorm, [x], { eps });

/** (x - mean) / sqrt(variance + eps) over the last axis. */
function standardise(x: Tensor, eps: number): Tensor {
  const centred = sub(x, mean(x, -1, { keep: true }));
  return div(centred, sqrt(add(mean(mul(centred, centred), -1, { keep: true }), eps)));
}

function scaleAndShift(x: Tensor, weight?: Tensor, bias?: Tensor): Tensor {
  const scaled = weight ? mul(x, weight) : x;
  return bias ? add(scaled, bias) : scaled;
}

/** Normalises runs of `run` elements that share a mean and a variance; scale and shift per element. */
function normalise(
  x: HostTensor,
  run: number,
  { eps, centre }: { eps: number; centre: boolean },
  affine: (y: number, flat: number) => number,
): HostTensor {
  const data = new Float64Array(x.data.length);
  for (let start = 0; start < data.length; start += run) {
    const mean = centre ? sumOver(run, (i) => x.data[start + i]) / run : 0;
    const variance = sumOver(run, (i) => (x.data[start + i] - mean) ** 2) / run;
    for (let i = start; i < start + run; i++) {
      data[i] = affine((x.data[i] - mean) / Math.sqrt(variance + eps), i);
    }
  }
  return { shape: x.shape, data };
}

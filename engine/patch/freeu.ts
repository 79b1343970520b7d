/**
 * FreeU (Si et al. 2023, "FreeU: Free Lunch in Diffusion U-Net"): in the decoder the backbone's
 * features count more and the lowest frequencies of the skip connections less. Which channels and
 * frequencies: as ComfyUI's FreeU and FreeU_V2 nodes.
 */
import type { NDArray } from '../array/nd.ts';
import {
  add,
  concat,
  cos,
  div,
  input,
  matmul,
  max,
  mean,
  mul,
  neg,
  range,
  cast,
  scalar,
  sin,
  sizeTensor,
  slice,
  sub,
  unsqueeze,
} from '../tensor/nn.ts';
import type { Dim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { NetworkPatch } from './patch.ts';

export interface FreeUOptions {
  /** 1 scales the backbone evenly, 2 by how strong the features are at each position. */
  readonly version: 1 | 2;
  /** Channels of the network's outermost level: stages have 4 and 2 times as many. */
  readonly modelChannels: number;
  /** Backbone factors of the two stages. */
  readonly b1: number;
  readonly b2: number;
  /** Factors of the skip connections' low frequencies. */
  readonly s1: number;
  readonly s2: number;
}

/** FreeU at the output blocks; the four factors are fed, so that a change of them needs no new session. */
export function freeuPatch({ version, modelChannels, ...factors }: FreeUOptions): NetworkPatch {
  const stages = new Map([
    [modelChannels * 4, 1],
    [modelChannels * 2, 2],
  ]);
  const inputs = Object.fromEntries(
    Object.keys(factors).map((name) => [name, input(`freeu/${name}`, 'f32', [])]),
  );
  return {
    identity: `freeu v${version} ${modelChannels}`,
    at: ({ name, inputs: { h, skip }, run }) => {
      const stage = /^output_blocks\.\d+$/.test(name)
        ? stages.get(h.shape[1] as number)
        : undefined;
      if (stage === undefined) return undefined;
      const b = inputs[`b${stage}`];
      const scale = version === 1 ? b : add(mul(sub(b, 1), strength(h)), 1);
      return run({ h: scaleHalf(h, scale), skip: scaleLow(skip, inputs[`s${stage}`]) });
    },
    feeds: () =>
      Object.fromEntries(
        Object.entries(factors).map(([name, value]): [string, NDArray] => [
          `freeu/${name}`,
          { data: Float32Array.of(value), shape: [] },
        ]),
      ),
  };
}

/** The first half of the channels of h [b, c, h, w] times `scale` (broadcasts). */
function scaleHalf(h: Tensor, scale: Tensor): Tensor {
  const half = (h.shape[1] as number) / 2;
  return concat([mul(slice(h, 1, 0, half), scale), slice(h, 1, half)], 1);
}

/** Mean over channels, brought to 0..1 over the picture: [b, 1, h, w]. */
function strength(h: Tensor): Tensor {
  const m = mean(h, 1, { keep: true });
  const highest = max(m, [2, 3], { keep: true });
  const lowest = neg(max(neg(m), [2, 3], { keep: true }));
  return div(sub(m, lowest), sub(highest, lowest));
}

/**
 * x [b, c, h, w] with the four frequencies 0 and -1 of both axes times s. With P the projection on
 * them, x + (s - 1) Re(P x); P is a product of one matrix per axis, so two real products each do.
 */
function scaleLow(x: Tensor, s: Tensor): Tensor {
  const [, , height, width] = x.shape;
  const [rows, columns] = [lowPass(height), lowPass(width)];
  const filtered = (part: 're' | 'im'): Tensor => matmul(matmul(rows[part], x), columns[part]);
  // columns are transposed: their imaginary part is antisymmetric, which turns the sign of the product
  const low = add(filtered('re'), filtered('im'));
  return add(x, mul(sub(s, 1), low));
}

/** The projection of n samples on the frequencies 0 and -1: (1 + exp(-i w (y - y'))) / n, [n, n]. */
function lowPass(n: Dim): { re: Tensor; im: Tensor } {
  const size = cast(sizeTensor(n), 'f32');
  const places = cast(range(n), 'f32');
  const distance = sub(unsqueeze(places, 1), unsqueeze(places, 0));
  const angle = mul(distance, div(scalar(2 * Math.PI), size));
  return { re: div(add(cos(angle), 1), size), im: div(neg(sin(angle)), size) };
}

/**
 * Attention in oblong windows: lying ones for one half of the channels, standing ones for the other
 * (CAT, Chen et al. 2022). What DAT and RGT share.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, layerNorm, linear } from '../../tensor/layers.ts';
import { add, attention, chunk, concat, gelu, mul, padZero, relu, slice } from '../../tensor/nn.ts';
import { type Dim, ceilDivDim, mulDim, subDim } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { channelsFirst, channelsLast } from './pixels.ts';
import { type Sides, pictureOf, relativeBias, shiftMask, shifted, windowsOf } from './windows.ts';

/** Blocks of attention in windows have even numbers; every other one of them is shifted. */
export const isShifted = (group: number, block: number): boolean =>
  block % 4 === (group % 2 === 0 ? 2 : 0);

interface Windows {
  readonly window: Sides;
  readonly shift: Sides;
  /** For a shifted picture. */
  readonly mask: Tensor;
}

export interface CrossWindows {
  readonly halves: readonly Windows[];
  /** Sides of the picture, and of the one that whole windows of both kinds cover. */
  readonly sides: readonly [Dim, Dim];
  readonly covered: readonly [Dim, Dim];
}

/** The windows of both halves for a picture of these sides. */
export function crossWindows({ height, width }: Sides, sides: readonly [Dim, Dim]): CrossWindows {
  const most = Math.max(height, width);
  const cover = (side: Dim): Dim => mulDim(ceilDivDim(side, most), most);
  const covered = [cover(sides[0]), cover(sides[1])] as const;
  const halves = [
    { height, width },
    { height: width, width: height },
  ].map((window) => {
    const shift = {
      height: Math.floor(window.height / 2),
      width: Math.floor(window.width / 2),
    };
    return { window, shift, mask: shiftMask(covered, window, shift) };
  });
  return { halves, sides, covered };
}

/**
 * Attention of x [1, h, w, c] in windows, with `qkv` and `attns` under the cursor, and the values that
 * went into it; both [1, c, h, w].
 */
export function crossAttention(
  w: Weights,
  x: Tensor,
  { halves, sides, covered }: CrossWindows,
  shift: boolean,
): { readonly attended: Tensor; readonly values: Tensor } {
  const beyond = sides.map((side, i) => [0, subDim(covered[i], side)] as const);
  const qkv = chunk(linear(w.at('qkv'), x), 3, -1);
  const parts = qkv.map((part) => chunk(padZero(part, [...beyond, [0, 0]]), 2, -1));
  const results = halves.map((half, i) => {
    const own = parts.map((part) => part[i]);
    return inWindows(w.at(`attns.${i}`), own, half, { sides: covered, shift });
  });
  const inside = slice(slice(concat(results, 3), 1, 0, sides[0]), 2, 0, sides[1]);
  return { attended: channelsFirst(inside), values: channelsFirst(qkv[2]) };
}

/** Attention in the windows of one half of the channels: q, k and v are [1, h, w, c/2]. */
function inWindows(
  w: Weights,
  qkv: readonly Tensor[],
  { window, shift, mask }: Windows,
  picture: { readonly sides: readonly [Dim, Dim]; readonly shift: boolean },
): Tensor {
  const table = positionTable(w);
  const bias = relativeBias(table, window);
  const [heads] = table.shape.slice(1) as number[]; // stored tensors have fixed sizes
  return shifted(concat(qkv, 3), picture.shift ? shift : { height: 0, width: 0 }, (moved) => {
    const [q, k, v] = chunk(windowsOf(moved, window), 3, -1);
    const h = attention(q, k, v, { heads, mask: picture.shift ? add(bias, mask) : bias });
    return pictureOf(h, window, picture.sides);
  });
}

/** A bias for each head and offset, made by a small network from the offsets. */
function positionTable(w: Weights): Tensor {
  let h = linear(w.at('pos.pos_proj'), w.param('rpe_biases'));
  for (const layer of [w.at('pos.pos1'), w.at('pos.pos2'), w.at('pos.pos3')]) {
    h = linear(layer.at('2'), relu(layerNorm(layer.at('0'), h)));
  }
  return h; // [offsets, heads]
}

/** A feed-forward layer, one half of whose features gates the other through a convolution. */
export function gatedFeedForward(w: Weights, x: Tensor): Tensor {
  const [left, right] = chunk(gelu(linear(w.at('fc1'), x)), 2, -1);
  const n = channelsFirst(layerNorm(w.at('sg.norm'), right));
  const gate = conv2d(w.at('sg.conv'), n, { pad: 1, groups: n.shape[1] as number });
  return linear(w.at('fc2'), mul(left, channelsLast(gate)));
}

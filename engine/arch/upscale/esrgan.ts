/**
 * ESRGAN: residual dense blocks in residual blocks (RRDBNet), then nearest-neighbour steps of two.
 *
 * Papers: Wang et al. 2018 (ESRGAN), Rakotonirina & Rasoanaivo 2020 (ESRGAN+), Zhang et al. 2021
 * (BSRGAN), Wang et al. 2021 (Real-ESRGAN, whose x2 and x1 models fold pixels into channels first).
 * Files name the same layers in three ways: `namings`.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d } from '../../tensor/layers.ts';
import { add, concat, leakyRelu, mul, upsampleNearest } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import { numbersUnder, pixelUnshuffle } from './pixels.ts';

/** Where a file's layers lie, relative to its root or, for the dense blocks, to their block. */
interface Naming {
  readonly first: string;
  readonly blocks: string;
  /** `RDB` of `RDB1`, `RDB2`, `RDB3`. */
  readonly dense: string;
  /** What follows `conv1` … `conv5` of a dense block. */
  readonly conv: string;
  trunk(blocks: number): string;
  /** The convolution after the n-th doubling, from 1. */
  up(n: number): string;
  high(doublings: number): string;
  last(doublings: number): string;
}

const namings: readonly Naming[] = [
  {
    // a flat list: the doublings stand at 3, 6, …; steps without weights leave gaps
    first: 'model.0',
    blocks: 'model.1.sub',
    dense: 'RDB',
    conv: '.0',
    trunk: (blocks) => `model.1.sub.${blocks}`,
    up: (n) => `model.${3 * n}`,
    high: (doublings) => `model.${3 * doublings + 2}`,
    last: (doublings) => `model.${3 * doublings + 4}`,
  },
  {
    first: 'conv_first',
    blocks: 'body',
    dense: 'rdb',
    conv: '',
    trunk: () => 'conv_body',
    up: (n) => `conv_up${n}`,
    high: () => 'conv_hr',
    last: () => 'conv_last',
  },
  {
    first: 'conv_first',
    blocks: 'RRDB_trunk',
    dense: 'RDB',
    conv: '',
    trunk: () => 'trunk_conv',
    up: (n) => `upconv${n}`,
    high: () => 'HRconv',
    last: () => 'conv_last',
  },
];

interface EsrganConfig {
  readonly naming: Naming;
  readonly blocks: number;
  readonly doublings: number;
  /** Pixels a side that become channels first. */
  readonly unshuffle: number;
}

export const esrgan: UpscaleKind<EsrganConfig> = {
  name: 'ESRGAN',
  detect(w) {
    const naming = namings.find(
      ({ first, blocks, dense, conv }) =>
        w.has(`${first}.weight`) && w.has(`${blocks}.0.${dense}1.conv1${conv}.weight`),
    );
    if (!naming) return undefined;
    const blocks = numbersUnder(w, naming.blocks).filter((n) =>
      w.has(`${naming.blocks}.${n}.${naming.dense}1`),
    ).length;
    let doublings = 0;
    while (w.has(naming.up(doublings + 1))) doublings++;
    // of a plain list, the first layer after the doublings is two away from the last
    if (!w.has(naming.last(doublings))) return undefined;
    const [, channels] = w.shape(`${naming.first}.weight`);
    const [outputChannels] = w.shape(`${naming.last(doublings)}.weight`);
    const unshuffle = [4, 2].find((r) => channels === outputChannels * r ** 2) ?? 1;
    return {
      scale: 2 ** doublings / unshuffle,
      inputChannels: channels / unshuffle ** 2,
      outputChannels,
      minimum: unshuffle === 1 ? 2 : 4,
      multipleOf: unshuffle === 1 ? 1 : 4,
      config: { naming, blocks, doublings, unshuffle },
    };
  },
  build(w, picture, { naming, blocks, doublings, unshuffle }) {
    const conv = (name: string, x: Tensor): Tensor => conv2d(w.at(name), x, { pad: 1 });
    const first = conv(naming.first, pixelUnshuffle(picture, unshuffle)); // [1, c, h, w]
    let h = first;
    for (let i = 0; i < blocks; i++) h = rrdb(w.at(`${naming.blocks}.${i}`), h, naming);
    h = add(first, conv(naming.trunk(blocks), h));
    for (let n = 1; n <= doublings; n++) {
      h = leakyRelu(conv(naming.up(n), upsampleNearest(h, { scale: 2 })), 0.2); // [1, c, 2*h, 2*w]
    }
    h = leakyRelu(conv(naming.high(doublings), h), 0.2);
    return conv(naming.last(doublings), h);
  },
};

function rrdb(w: Weights, x: Tensor, { dense, conv }: Naming): Tensor {
  let h = x;
  for (const n of [1, 2, 3]) h = denseBlock(w.at(`${dense}${n}`), h, conv);
  return add(mul(h, 0.2), x);
}

/** Every convolution sees all results before it; with `conv1x1` it is a block of ESRGAN+. */
function denseBlock(w: Weights, x: Tensor, suffix: string): Tensor {
  const plus = w.has('conv1x1');
  let seen = [x];
  for (const n of [1, 2, 3, 4]) {
    let h = leakyRelu(conv2d(w.at(`conv${n}${suffix}`), concat(seen, 1), { pad: 1 }), 0.2);
    if (plus && n === 2) h = add(h, conv2d(w.at('conv1x1'), x));
    if (plus && n === 4) h = add(h, seen[2]);
    seen = [...seen, h];
  }
  const h = conv2d(w.at(`conv5${suffix}`), concat(seen, 1), { pad: 1 });
  return add(mul(h, 0.2), x); // [1, c, h, w]
}

/**
 * Deep shrink (Kohya S. 2023): in the early steps a UNet's inner blocks see a smaller picture, so that
 * large pictures keep one composition. As ComfyUI's PatchModelAddDownscale.
 */
import type { InterpolateMethod } from '../array/resize.ts';
import { roundHalfEven } from '../array/round.ts';
import type { UNetBlock } from '../arch/unet.ts';
import { type Dim, sameDim, symbol } from '../tensor/shape.ts';
import type { Feeds, NetworkCall, NetworkPatch } from './patch.ts';
import { type Size, resizeBy, resizeFeeds } from './resize.ts';

export interface Shrink {
  /** Number of the input block whose output shrinks. */
  readonly block: number;
  /** Its height and width are divided by this. */
  readonly factor: number;
  /** Noise levels between which it acts. */
  readonly startSigma: number;
  readonly endSigma: number;
  /** The skip connection keeps the full size. */
  readonly afterSkip: boolean;
  readonly down: InterpolateMethod;
  readonly up: InterpolateMethod;
}

export interface DeepShrinkPatch extends NetworkPatch {
  readonly shrinks: readonly Shrink[];
}

/** All shrinks of a UNet of these blocks; sizes and factors are fed. */
export function deepShrinkPatch(
  shrinks: readonly Shrink[],
  blocks: readonly UNetBlock[],
): DeepShrinkPatch {
  const places = shrinks.map(
    ({ block, afterSkip }) => `input_blocks.${block}.${afterSkip ? 'after_skip' : 'before_skip'}`,
  );
  const kinds = shrinks.map(({ down, up }, i) => `${places[i]} ${down} ${up}`);
  const targets = shrinks.map((_, i): Size<Dim> => [
    symbol(`shrink${i}_height`),
    symbol(`shrink${i}_width`),
  ]);
  return {
    shrinks,
    identity: `deep shrink ${kinds.join(', ')}`,
    active: ({ input: call }) => shrinks.some((shrink) => acts(shrink, call)),
    at({ name, inputs, run }) {
      if (inputs.skip !== undefined) {
        const { h, skip } = inputs;
        const to: Size<Dim> = [skip.shape[2], skip.shape[3]];
        if (sameDim(h.shape[2], to[0]) && sameDim(h.shape[3], to[1])) return undefined;
        return run({ skip, h: resizeBy(`shrink/${name}`, shrinks[0].up, h, to) });
      }
      const here = shrinks.filter((_, i) => places[i] === name);
      if (here.length === 0) return undefined;
      return here.reduce((h, shrink) => {
        const i = shrinks.indexOf(shrink);
        return resizeBy(`shrink${i}`, shrink.down, h, targets[i]);
      }, run(inputs));
    },
    feeds: ({ input: call }) => walk(shrinks, places, blocks, call!),
  };
}

const acts = ({ startSigma, endSigma }: Shrink, call: NetworkCall['input']): boolean =>
  call !== undefined && call.sigma <= startSigma && call.sigma >= endSigma;

/** Follows the size of the picture through the blocks and makes the table of every resize. */
function walk(
  shrinks: readonly Shrink[],
  places: readonly string[],
  blocks: readonly UNetBlock[],
  call: NonNullable<NetworkCall['input']>,
): Feeds {
  const feeds: Record<string, Feeds[string]> = {};
  const [height, width] = call.x.shape.slice(-2);
  let size: Size = [height, width];
  const skips: Size[] = [];
  const shrinkAt = (place: string): void => {
    shrinks.forEach((shrink, i) => {
      if (places[i] !== place) return;
      const to = acts(shrink, call) ? scaled(size, 1 / shrink.factor) : size;
      Object.assign(feeds, resizeFeeds(`shrink${i}`, shrink.down, size, to));
      size = to;
    });
  };
  for (const { name, resizes } of blocks) {
    if (name.startsWith('input_blocks.')) {
      if (resizes) size = [(size[0] + 1) >> 1, (size[1] + 1) >> 1];
      shrinkAt(`${name}.before_skip`);
      skips.push(size);
      shrinkAt(`${name}.after_skip`);
    } else if (name.startsWith('output_blocks.')) {
      const skip = skips.pop()!;
      Object.assign(feeds, resizeFeeds(`shrink/${name}`, shrinks[0].up, size, skip));
      size = skip;
      if (resizes) size = skips.at(-1) ?? [size[0] * 2, size[1] * 2];
    }
  }
  return feeds;
}

const scaled = ([height, width]: Size, factor: number): Size => [
  Math.max(1, roundHalfEven(height * factor)),
  Math.max(1, roundHalfEven(width * factor)),
];

/**
 * Where networks take residuals: tensors that control networks add inside them (ControlNet, Zhang et al. 2023;
 * T2I-Adapter, Mou et al. 2023).
 */
import type { Weights } from '../tensor/cursor.ts';
import { unetBlocks } from './unet.ts';

/** Channels of a residual, and how often it is halved from the latent's size (odd sizes round up). */
export interface ResidualSize {
  readonly channels: number;
  readonly halvings: number;
}

/** A control network's lists of residuals; gaps add nothing. */
export interface ControlLists<T> {
  readonly input: readonly (T | undefined)[];
  readonly middle: readonly (T | undefined)[];
  readonly output: readonly (T | undefined)[];
}

/** A site that takes residuals. */
export interface ResidualPlace extends ResidualSize {
  /** Which one it takes: its list, and its index there; negative ones count from the end. */
  readonly from: readonly [list: keyof ControlLists<unknown>, index: number];
  /** Added to the part's output, to the picture's tokens in it, or to one of its inputs. */
  readonly to: 'output' | 'tokens' | { readonly input: string };
}

/** Places by site. */
export type ResidualPlaces = ReadonlyMap<string, ResidualPlace>;

/** What lies in the lists for every site that takes something. */
export function residualsAt<T>(
  places: ResidualPlaces,
  lists: ControlLists<T>,
): ReadonlyMap<string, T> {
  const values = new Map<string, T>();
  for (const [site, { from }] of places) {
    const value = lists[from[0]].at(from[1]);
    if (value !== undefined) values.set(site, value);
  }
  return values;
}

/**
 * Of a UNet: after its input blocks, after the middle, and on the skip connections before its output blocks.
 * Each list is used up from its end.
 */
export function unetPlaces(w: Weights): ResidualPlaces {
  const places = new Map<string, ResidualPlace>();
  const skips: ResidualSize[] = [];
  let [inputs, outputs] = [0, 0];
  for (const { name, channels, level, resizes } of unetBlocks(w)) {
    if (name.startsWith('output_blocks.')) {
      const skip = skips.pop();
      outputs++;
      if (skip) places.set(name, { ...skip, from: ['output', -outputs], to: { input: 'skip' } });
      continue;
    }
    const size = { channels, halvings: level + (resizes === 'halves' ? 1 : 0) };
    if (name.startsWith('input_blocks.')) {
      inputs++;
      skips.push(size);
      places.set(name, { ...size, from: ['input', -inputs], to: 'output' });
    } else {
      places.set(name, { ...size, from: ['middle', -1], to: 'output' });
    }
  }
  return places;
}

/** Of a transformer: the picture's tokens after its blocks, from the first on. */
export function tokenPlaces(
  w: Weights,
  {
    channels,
    patch = 2,
    ...lists
  }: {
    readonly channels: number;
    /** Cells of a latent along a token's side: 1 or 2. */
    readonly patch?: number;
    /** Names of the blocks that a list is for. */
    readonly input?: string;
    readonly output?: string;
  },
): ResidualPlaces {
  const places = new Map<string, ResidualPlace>();
  for (const list of ['input', 'output'] as const) {
    const blocks = lists[list];
    if (blocks === undefined) continue;
    for (let i = 0; i < w.count(blocks); i++) {
      places.set(`${blocks}.${i}`, {
        channels,
        halvings: patch - 1,
        from: [list, i],
        to: 'tokens',
      });
    }
  }
  return places;
}

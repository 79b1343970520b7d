/**
 * Residuals of a control network: tensors that are added inside a UNet (ControlNet, Zhang et al. 2023;
 * T2I-Adapter, Mou et al. 2023).
 */
import type { UNetBlock } from '../arch/unet.ts';
import { add, input } from '../tensor/nn.ts';
import type { Patch } from '../tensor/patch.ts';
import { type Dim, ceilDivDim, sameDim, symbol } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Channels of a residual, and how often it is halved from the latent's size (odd sizes round up). */
export interface ResidualSize {
  readonly channels: number;
  readonly halvings: number;
}

/** A site that takes residuals: at the part's output or at one of its inputs. */
export interface ResidualPlace extends ResidualSize {
  readonly to: 'output' | { readonly input: string };
}

/** Places by site. */
export type ResidualPlaces = ReadonlyMap<string, ResidualPlace>;

/**
 * Where a UNet of these blocks takes residuals: after its input blocks, after the middle, and on the skip
 * connections before its output blocks.
 */
export function residualPlaces(blocks: readonly UNetBlock[]): ResidualPlaces {
  const places = new Map<string, ResidualPlace>();
  const skips: ResidualSize[] = [];
  for (const { name, channels, level, resizes } of blocks) {
    if (name.startsWith('output_blocks.')) {
      const skip = skips.pop();
      if (skip) places.set(name, { ...skip, to: { input: 'skip' } });
      continue;
    }
    const size = { channels, halvings: level + (resizes === 'halves' ? 1 : 0) };
    if (name.startsWith('input_blocks.')) skips.push(size);
    places.set(name, { ...size, to: 'output' });
  }
  return places;
}

/**
 * Adds an input `name/site` at every place where the picture has its usual size. Where another patch has
 * resized it (deep shrink) nothing is added, as in ComfyUI.
 */
export function residualPatch(name: string, places: ResidualPlaces): Patch {
  return {
    identity: `residuals ${name} ${[...places.keys()].join(' ')}`,
    at: ({ name: site, inputs, run }) => {
      const place = places.get(site);
      if (!place) return undefined;
      const withResidual = (value: Tensor): Tensor =>
        usualSize(value, place) ? add(value, input(`${name}/${site}`, 'f32', value.shape)) : value;
      if (place.to === 'output') return withResidual(run(inputs));
      const { input: to } = place.to;
      return run({ ...inputs, [to]: withResidual(inputs[to]) });
    },
  };
}

/** Whether a tensor inside a UNet has the latent's size, halved as often as at its place. */
function usualSize({ shape: [, , ...sides] }: Tensor, { halvings }: ResidualSize): boolean {
  return ['height', 'width'].every((side, axis) => {
    let size: Dim = symbol(side);
    for (let i = 0; i < halvings; i++) size = ceilDivDim(size, 2);
    return sameDim(sides[axis], size);
  });
}

/** A control network's lists of residuals; gaps add nothing. */
export interface ControlLists<T> {
  readonly input: readonly (T | undefined)[];
  readonly middle: readonly (T | undefined)[];
  readonly output: readonly (T | undefined)[];
}

/**
 * The sites of a UNet for which the lists of a control network are; each list is used up from its end:
 * after the input blocks, after the middle, and before the output blocks.
 */
export function residualSites<T>(lists: ControlLists<T>): ReadonlyMap<string, T> {
  const values = new Map<string, T>();
  const put = (list: readonly (T | undefined)[], site: (i: number) => string): void =>
    [...list].reverse().forEach((value, i) => {
      if (value !== undefined) values.set(site(i), value);
    });
  put(lists.input, (i) => `input_blocks.${i}`);
  put(lists.middle.slice(-1), () => 'middle_block');
  put(lists.output, (i) => `output_blocks.${i}`);
  return values;
}

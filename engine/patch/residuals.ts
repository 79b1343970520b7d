/** Residuals of a control network as a patch of the network that takes them (engine/arch/residual-places.ts). */
import type { ResidualPlace, ResidualPlaces, ResidualSize } from '../arch/residual-places.ts';
import { add, input, padZero } from '../tensor/nn.ts';
import type { Patch, Site } from '../tensor/patch.ts';
import { type Dim, addDim, ceilDivDim, mulDim, sameDim, subDim, symbol } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * Adds an input `name/site` at every place where the picture has its usual size. Where another patch has
 * resized it (deep shrink) nothing is added, as in ComfyUI.
 */
export function residualPatch(name: string, places: ResidualPlaces): Patch {
  return {
    identity: `residuals ${name} ${[...places.keys()].join(' ')}`,
    at: (site) => {
      const place = places.get(site.name);
      if (!place) return undefined;
      const { inputs, run } = site;
      const residual = `${name}/${site.name}`;
      if (place.to === 'tokens') return withTokens(site, place, residual);
      const withResidual = (value: Tensor): Tensor =>
        usualSize(value, place) ? add(value, input(residual, 'f32', value.shape)) : value;
      if (place.to === 'output') return withResidual(run(inputs));
      const { input: to } = place.to;
      return run({ ...inputs, [to]: withResidual(inputs[to]) });
    },
  };
}

/**
 * The residual [b, n, c] on the picture's tokens, which stand behind the text and before other pictures; a part
 * that leaves the text out has them in front.
 */
function withTokens({ inputs, run, facts }: Site, place: ResidualPlace, residual: string): Tensor {
  const out = run(inputs);
  const { text = 0, grid = [] } = facts;
  const left = subDim(inputs.x.shape[1], out.shape[1]);
  const before = subDim(text, left);
  const count = grid.reduce((product: Dim, side) => mulDim(product, side), 1);
  const value = input(residual, 'f32', [out.shape[0], count, place.channels]);
  const behind = subDim(out.shape[1], addDim(before, count));
  const none = [0, 0] as const;
  return add(out, padZero(value, [none, [before, behind], none]));
}

/** Whether a tensor inside a UNet has the latent's size, halved as often as at its place. */
function usualSize({ shape: [, , ...sides] }: Tensor, { halvings }: ResidualSize): boolean {
  return ['height', 'width'].every((side, axis) => {
    let size: Dim = symbol(side);
    for (let i = 0; i < halvings; i++) size = ceilDivDim(size, 2);
    return sameDim(sides[axis], size);
  });
}

/** Models that are led away from what they predict without some of their blocks. */
import { skippedBlocks } from '../patch/skip-blocks.ts';
import type { GuidanceHooks } from '../sampling/guidance/hooks.ts';
import {
  type Levels,
  skipLayerGuidance,
  skipLayersOfNegative,
} from '../sampling/guidance/skip-layers.ts';
import { createModelSampling } from '../sampling/model-sampling.ts';
import type { Model } from './model.ts';

/** Which blocks, as users write them: every number in a text is one. */
export interface SkippedLayers {
  readonly double: string;
  readonly single: string;
  /** Parts of the run (0 start .. 1 end) between which they are left out. */
  readonly startPercent: number;
  readonly endPercent: number;
}

/** Hooks that add what the positive side has of these blocks; none where no block is named. */
export const skipGuidance = (
  model: Model,
  layers: SkippedLayers,
  strength: { readonly scale: number; readonly rescale: number },
): GuidanceHooks | undefined => {
  const sites = sitesOf(model, layers);
  if (!sites) return undefined;
  const options = { ...strength, ...levelsOf(model, layers) };
  return { after: [skipLayerGuidance(skippedBlocks(sites), options)] };
};

/** Hooks that leave the blocks out for the negative side. */
export const skipNegative = (model: Model, layers: SkippedLayers): GuidanceHooks | undefined => {
  const sites = sitesOf(model, layers);
  return (
    sites && { negativeModel: skipLayersOfNegative(skippedBlocks(sites), levelsOf(model, layers)) }
  );
};

const levelsOf = ({ sampling }: Model, { startPercent, endPercent }: SkippedLayers): Levels => {
  const { percentToSigma } = createModelSampling(sampling);
  return { start: percentToSigma(startPercent), end: percentToSigma(endPercent) };
};

/** Sites of the blocks that the model has; undefined where the texts name none. */
function sitesOf({ family }: Model, { double, single }: SkippedLayers): string[] | undefined {
  const numbers = { double: numbersIn(double), single: numbersIn(single) };
  if (numbers.double.length + numbers.single.length === 0) return undefined;
  return (['double', 'single'] as const).flatMap((kind) => {
    const name = family.blocks?.[kind];
    return name === undefined ? [] : numbers[kind].map((number) => `${name}.${number}`);
  });
}

const numbersIn = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);

/** T2I-Adapters (engine/arch/t2i-adapter.ts) on a run: once for each size, whatever the step. */
import type { ControlLists } from '../arch/residual-places.ts';
import { type T2IAdapterConfig, detectT2IAdapter, t2iAdapter } from '../arch/t2i-adapter.ts';
import { openWeights } from '../tensor/cursor.ts';
import { mul } from '../tensor/nn.ts';
import { mulDim, symbol } from '../tensor/shape.ts';
import { hintsOf } from './control-hint.ts';
import type { ControlKind } from './control-net.ts';
import { openNetwork } from './network.ts';

/** Pixels of the hint along a side of a latent cell, before it is rounded up to the unshuffle factor. */
const pixelsPerCell = 8;

/** A T2I-Adapter bound to a run. */
export const t2iAdapterKind: ControlKind = ({ net, image, strength }, run) => {
  const config = detectT2IAdapter(openWeights(net.source))!;
  const { unshuffle, hintChannels } = config;
  const ask = openNetwork(run, net, {
    name: 't2i-adapter',
    build: (g) => {
      const sides = ['height', 'width'].map((name) => mulDim(symbol(name), unshuffle));
      const hint = g.input('hint', 'f32', ['batch', hintChannels, ...sides]);
      const factor = g.input('strength', 'f32', []);
      const features = Object.entries(t2iAdapter(g.weights, hint, config));
      return Object.fromEntries(features.map(([level, f]) => [level, mul(f, factor)]));
    },
  });
  const roundUp = (size: number): number =>
    Math.ceil((size * pixelsPerCell) / unshuffle) * unshuffle;
  const hints = hintsOf(image, {
    channels: hintChannels,
    size: ({ height, width }) => ({ height: roundUp(height), width: roundUp(width) }),
    run: (hint) =>
      ask({ hint, strength: { data: Float32Array.of(strength), shape: [] } }, { rows: 1 }),
  });
  return {
    cellBytes: 0, // made once, kept on the host
    sizes: listed(config, config.sizes),
    residuals: async (input) => listed(config, await hints.forCall(input)),
  };
};

/** What belongs to the four levels, at the places of their features. */
function listed<T>(
  { input, middle }: T2IAdapterConfig,
  levels: Readonly<Record<string, T>>,
): ControlLists<T> {
  const of = (level: number | undefined): T | undefined =>
    level === undefined ? undefined : levels[level];
  return {
    input: input.map(of).reverse(), // lists are used up from their ends
    middle: middle === undefined ? [] : [of(middle)],
    output: [],
  };
}

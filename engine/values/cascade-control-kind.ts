/** Control networks of Stable Cascade (engine/arch/cascade/controlnet.ts) on a run: once for each size, whatever the step. */
import {
  type CascadeControlConfig,
  cascadeControl,
  controlledBlocks,
  detectCascadeControl,
} from '../arch/cascade/controlnet.ts';
import type { ControlLists } from '../arch/residual-places.ts';
import { type NDArray, zeros } from '../array/nd.ts';
import { openWeights } from '../tensor/cursor.ts';
import { mul, resizeAligned } from '../tensor/nn.ts';
import { type Dim, mulDim, symbol } from '../tensor/shape.ts';
import type { Graph } from '../tensor/trace.ts';
import { hintsOf } from './control-hint.ts';
import type { ControlKind } from './control-net.ts';
import { openNetwork } from './network.ts';

/** A hint's sides are multiples of this. */
const multiple = 8;

/** A control network bound to a run. */
export const cascadeControlKind: ControlKind = ({ net, image, strength }, run) => {
  const config = detectCascadeControl(openWeights(net.source))!;
  const { pixelsPerCell, hintChannels, channels } = config;
  const ask = openNetwork(run, net, {
    name: 'cascade-control',
    build: (g) => {
      const features = Object.entries(cascadeControl(g.weights, hintInput(g, config), config));
      const factor = g.input('strength', 'f32', []);
      return Object.fromEntries(features.map(([i, f]) => [i, mul(f, factor)]));
    },
  });
  const fit = openNetwork(run, net, {
    name: 'cascade-control-size',
    build: (g) => {
      const x = g.input('x', 'f32', ['batch', channels, 'fromHeight', 'fromWidth']);
      const [, , height, width] = g.input('like', 'f32', [1, 1, 'height', 'width']).shape;
      return { out: resizeAligned(x, { height, width }) };
    },
  });
  const roundUp = (cells: number): number =>
    Math.ceil((cells * pixelsPerCell) / multiple) * multiple;
  const hints = hintsOf(image, {
    channels: hintChannels,
    method: pixelsPerCell === 1 ? 'nearest-exact' : 'bilinear',
    size: ({ height, width }) => ({ height: roundUp(height), width: roundUp(width) }),
    run: (hint) =>
      ask({ hint, strength: { data: Float32Array.of(strength), shape: [] } }, { rows: 1 }),
  });
  const size = { channels, halvings: 0 };
  return {
    cellBytes: 0, // made once, kept on the host
    sizes: listed(controlledBlocks.map(() => size)),
    async residuals(input) {
      const [height, width] = input.x.shape.slice(-2);
      const features = Object.values(await hints.forCall(input));
      const fitted = features.map(async (x): Promise<NDArray> => {
        if (x.shape[2] === height && x.shape[3] === width) return x;
        return (await fit({ x, like: zeros([1, 1, height, width]) }, { rows: x.shape[0] })).out;
      });
      return listed(await Promise.all(fitted));
    },
  };
};

/** Pictures of whole cells; latents of any size. */
function hintInput(g: Graph, { pixelsPerCell, hintChannels }: CascadeControlConfig) {
  const sides = ['height', 'width'].map((side): Dim => mulDim(symbol(side), pixelsPerCell));
  return g.input('hint', 'f32', ['batch', hintChannels, ...sides]);
}

/** Features at the numbers of their blocks; the list is used up from its end. */
function listed<T>(features: readonly T[]): ControlLists<T> {
  const input = new Array<T | undefined>(Math.max(...controlledBlocks) + 1).fill(undefined);
  features.forEach((feature, i) => (input[controlledBlocks[i]] = feature));
  return { input: input.reverse(), middle: [], output: [] };
}

/**
 * Hypernetworks of Stable Diffusion (NovelAI 2022; files of the AUTOMATIC1111 web UI): small networks
 * that change what keys and values of attention are made of, one pair for each width of context.
 * Rules: ComfyUI's HypernetworkLoader, without the dropout of training.
 */
import type { NDArray } from '../array/nd.ts';
import { openWeights, type Weights } from '../tensor/cursor.ts';
import { layerNorm, linear } from '../tensor/layers.ts';
import {
  abs,
  add,
  clamp,
  div,
  exp,
  greater,
  input,
  leakyRelu,
  minimum,
  mul,
  relu,
  sigmoid,
  softplus,
  sub,
  tanh,
  where,
} from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type WeightSource, rename } from '../weights/source.ts';
import type { NetworkPatch } from './patch.ts';

/** Activations by the names that files give them. */
export const hypernetworkActivations: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  linear: (x) => x,
  relu,
  leakyrelu: (x) => leakyRelu(x),
  elu: (x) => where(greater(x, 0), x, sub(exp(minimum(x, 0)), 1)),
  swish: (x) => div(mul(x, clamp(add(x, 3), 0, 6)), 6), // the hard one
  tanh,
  sigmoid,
  softsign: (x) => div(x, add(abs(x), 1)),
  mish: (x) => mul(x, tanh(softplus(x))),
};

export interface Hypernetwork {
  /** `<width>.<0 for keys, 1 for values>.<layer>.weight` and `.bias`. */
  readonly source: WeightSource;
  readonly activation: string;
  /** Whether a layer norm stands behind every linear layer. */
  readonly layerNorms: boolean;
  /** Whether the last layer is followed by the activation too. */
  readonly activateOutput: boolean;
}

/**
 * k + f(k)·strength and v + g(v)·strength in every attention whose context has a width that the file
 * knows. The strength is fed. `name` must be unique among a network's patches.
 */
export function hypernetworkPatch(
  name: string,
  { source, ...options }: Hypernetwork,
  strength: number,
): NetworkPatch {
  // two files of one network must not share keys in its program
  const w = openWeights(rename(source, (key) => `${name}.${key}`, { tag: name }));
  const layers = layerNames(source);
  const fed = input(`${name}/strength`, 'f32', []);
  const { activation, layerNorms, activateOutput } = options;
  const changed = (x: Tensor, path: string): Tensor =>
    add(x, mul(mlp(w.at(`${name}.${path}`), x, layers.get(path)!, options), fed));
  const value: NDArray = { data: Float32Array.of(strength), shape: [] };
  return {
    identity: JSON.stringify([name, source.identity, activation, layerNorms, activateOutput]),
    at: ({ name: site, inputs, run }) => {
      if (!/\.attn[12]$/.test(site)) return undefined;
      const width = inputs.context.shape[2] as number;
      if (!layers.has(`${width}.0`)) return undefined;
      const context = changed(inputs.context, `${width}.0`);
      return run({ ...inputs, context, value: changed(inputs.value, `${width}.1`) });
    },
    feeds: () => ({ [`${name}/strength`]: value }),
  };
}

/** `<width>.<0 or 1>` -> its layers, in the order of the file. */
function layerNames(source: WeightSource): ReadonlyMap<string, readonly string[]> {
  const layers = new Map<string, string[]>();
  for (const key of source.tensors.keys()) {
    const [, path, layer] = /^(\d+\.[01])\.(.+)\.weight$/.exec(key) ?? [];
    if (layer === undefined) continue;
    layers.set(path, [...(layers.get(path) ?? []), layer]);
  }
  return layers;
}

function mlp(
  w: Weights,
  x: Tensor,
  layers: readonly string[],
  { activation, layerNorms, activateOutput }: Omit<Hypernetwork, 'source'>,
): Tensor {
  const step = layerNorms ? 2 : 1;
  let h = x;
  for (let i = 0; i < layers.length; i += step) {
    h = linear(w.at(layers[i]), h);
    // the norm that follows a layer counts as one in the file, so it is never the last that is activated
    if (i < layers.length - 1 || activateOutput) h = hypernetworkActivations[activation](h);
    if (layerNorms) h = layerNorm(w.at(layers[i + 1]), h);
  }
  return h;
}

/**
 * A network with adapters in training: the very patch that a finished file is at strength 1 (engine/patch/lora),
 * whose numbers, all in one vector, are what gradients are asked for.
 */
import type { NDArray } from '../../array/nd.ts';
import type { AdapterAct } from '../../patch/lora/kinds.ts';
import type { Feeds, NetworkPatch } from '../../patch/patch.ts';
import { add, input, mul, reshape, scalar, slice } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type Parameter, type ParameterLayout, layOut, numbersOf } from '../parameters.ts';

/** What is trained of one weight. */
export interface TrainedWeight {
  /** Tells it from others of the same weight: a part of its rows. */
  readonly name: string;
  /** The weight that it changes: [out, in, ...kernel], a norm's, or a bias. */
  readonly key: string;
  /** What it does, and its numbers at the start of training. */
  readonly act: AdapterAct;
  /** alpha / rank: what its change counts. */
  readonly scale: number;
}

export interface TrainedNetwork {
  /** By name, in order. */
  readonly weights: ReadonlyMap<string, TrainedWeight>;
  /** All parts of all weights in order, each as `name/part`. */
  readonly layout: ParameterLayout;
  readonly places: ReadonlyMap<string, Parameter>;
  /** A vector with the numbers at the start. */
  readonly start: () => Float32Array;
}

const partName = (name: string, part: string): string => `${name}/${part}`;

/** What is trained, as one vector of numbers. */
export function trainedNetwork(weights: readonly TrainedWeight[]): TrainedNetwork {
  const arrays = weights.flatMap(({ name, act }) =>
    Object.entries(act.arrays).map(([part, array]) => [partName(name, part), array] as const),
  );
  const layout = layOut(arrays.map(([name, { shape }]) => [name, shape] as const));
  return {
    weights: new Map(weights.map((weight) => [weight.name, weight])),
    layout,
    places: new Map(layout.list.map((place) => [place.name, place])),
    start: () => {
      const all = new Float32Array(layout.size);
      arrays.forEach(([, { data }], i) => numbersOf(all, layout.list[i]).set(data));
      return all;
    },
  };
}

/** The parts of what is trained under a name, in a vector: views, by the names that its act gives them. */
export function partsIn(
  { weights, places }: TrainedNetwork,
  name: string,
  values: Float32Array,
): Record<string, NDArray> {
  const { act } = weights.get(name)!;
  return Object.fromEntries(
    Object.keys(act.arrays).map((part) => {
      const place = places.get(partName(name, part))!;
      return [part, { data: numbersOf(values, place), shape: place.shape }];
    }),
  );
}

export interface TrainedPatch extends NetworkPatch {
  readonly layout: ParameterLayout;
  /** Parts as the program that was traced last reads them, by their names in the layout, in its order. */
  readonly parts: () => readonly (readonly [place: Parameter, tensor: Tensor])[];
}

/** Names the input of a program that holds all trained numbers. */
const inputName = 'trained';

const scaled = (x: Tensor, scale: number): Tensor => (scale === 1 ? x : mul(x, scale));

/**
 * Adapters on a network, at a strength, as the numbers in `values` are at the time of each call. They are one input, for what
 * ONNX Runtime takes to open a program grows with its inputs times its nodes.
 */
export function trainedPatch(
  network: TrainedNetwork,
  values: Float32Array,
  strength = 1,
): TrainedPatch {
  const { layout, places } = network;
  const weights = [...network.weights.values()];
  const byKey = new Map<string, TrainedWeight[]>();
  for (const weight of weights) byKey.set(weight.key, [...(byKey.get(weight.key) ?? []), weight]);
  const all = input(inputName, 'f32', [layout.size]);
  const parts = new Map<string, Tensor>();
  const fedOf =
    ({ name }: TrainedWeight) =>
    (part: string): Tensor => {
      const full = partName(name, part);
      let tensor = parts.get(full);
      if (!tensor) {
        const { offset, size, shape } = places.get(full)!;
        tensor = reshape(slice(all, 0, offset, offset + size), shape);
        parts.set(full, tensor);
      }
      return tensor;
    };
  const feeds: Feeds = { [inputName]: { data: values, shape: [layout.size] } };
  const shapes = layout.list.map(({ name, shape }) => `${name}[${shape.join()}]`);
  const scales = weights.map(({ scale }) => scale * strength);
  return {
    layout,
    identity: `trained ${shapes.join(' ')} ${scales.join(' ')}`,
    keys: new Set(byKey.keys()),
    parts: () =>
      layout.list.flatMap((place) => {
        const tensor = parts.get(place.name);
        return tensor ? [[place, tensor] as const] : [];
      }),
    beside: (layer) => {
      const mine = byKey.get(layer.key) ?? [];
      if (mine.some(({ act }) => !act.beside)) return undefined;
      const besides = mine.map((weight) =>
        scaled(weight.act.beside!(layer, fedOf(weight)), weight.scale * strength),
      );
      return besides.length === 0 ? undefined : besides.reduce((sum, part) => add(sum, part));
    },
    change: (key, value) =>
      (byKey.get(key) ?? []).reduce((changed, weight) => {
        const { act, scale } = weight;
        if (act.change) return act.change(changed, fedOf(weight), scalar(strength));
        return add(changed, scaled(act.delta!(value, fedOf(weight)), scale * strength));
      }, value),
    feeds: () => feeds,
  };
}

/**
 * A network with adapters in training: the very patch that a finished file is at strength 1 (engine/patch/lora),
 * whose numbers, all in one vector, are what gradients are asked for.
 */
import type { NDArray } from '../../array/nd.ts';
import type { AdapterAct } from '../../patch/lora/kinds.ts';
import type { Feeds, NetworkPatch } from '../../patch/patch.ts';
import { add, input, mul, scalar } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type ParameterLayout, layOut, numbersOf } from '../parameters.ts';

/** The adapter of one weight. */
export interface TrainedWeight {
  /** The weight that it changes: [out, in, ...kernel], a norm's, or a bias. */
  readonly key: string;
  /** What it does, and its numbers at the start of training. */
  readonly act: AdapterAct;
  /** alpha / rank: what its change counts. */
  readonly scale: number;
}

export interface TrainedNetwork {
  readonly weights: readonly TrainedWeight[];
  /** All parts of all weights in order, each as `key/part`. */
  readonly layout: ParameterLayout;
  /** A vector with the numbers at the start. */
  readonly start: () => Float32Array;
}

/** Adapters as one vector of numbers. */
export function trainedNetwork(weights: readonly TrainedWeight[]): TrainedNetwork {
  const arrays = weights.flatMap(({ key, act }) =>
    Object.entries(act.arrays).map(([part, array]) => [partName(key, part), array] as const),
  );
  const layout = layOut(arrays.map(([name, { shape }]) => [name, shape] as const));
  return {
    weights,
    layout,
    start: () => {
      const all = new Float32Array(layout.size);
      arrays.forEach(([, { data }], i) => numbersOf(all, layout.list[i]).set(data));
      return all;
    },
  };
}

const partName = (key: string, part: string): string => `${key}/${part}`;

/** The parts of an adapter in a vector: views, by the names that its kind gives them. */
export function partsIn(
  { layout }: TrainedNetwork,
  { key, act }: TrainedWeight,
  values: Float32Array,
): Record<string, NDArray> {
  const places = placesOf(layout);
  return Object.fromEntries(
    Object.keys(act.arrays).map((part) => {
      const place = places.get(partName(key, part))!;
      return [part, { data: numbersOf(values, place), shape: place.shape }];
    }),
  );
}

const known = new WeakMap<ParameterLayout, ReadonlyMap<string, ParameterLayout['list'][number]>>();

/** The parameters of a layout by name. */
function placesOf(layout: ParameterLayout) {
  let places = known.get(layout);
  if (!places) {
    known.set(layout, (places = new Map(layout.list.map((place) => [place.name, place]))));
  }
  return places;
}

/** The patch, and its inputs of the program that was traced last, by their names in the layout. */
export interface TrainedPatch extends NetworkPatch {
  readonly inputs: ReadonlyMap<string, Tensor>;
}

/** What names the inputs of trained numbers in a program. */
const inputName = (name: string): string => `trained/${name}`;

/** Adapters on a network as the numbers in `values` are at the time of each call. */
export function trainedPatch(network: TrainedNetwork, values: Float32Array): TrainedPatch {
  const { weights, layout } = network;
  const byKey = new Map(weights.map((weight) => [weight.key, weight]));
  const places = placesOf(layout);
  const inputs = new Map<string, Tensor>();
  const fedOf =
    (key: string) =>
    (part: string): Tensor => {
      const name = partName(key, part);
      let tensor = inputs.get(name);
      if (!tensor)
        inputs.set(name, (tensor = input(inputName(name), 'f32', places.get(name)!.shape)));
      return tensor;
    };
  const scaled = (x: Tensor, scale: number): Tensor => (scale === 1 ? x : mul(x, scale));
  const feeds: Feeds = Object.fromEntries(
    layout.list.map((place) => [
      inputName(place.name),
      { data: numbersOf(values, place), shape: place.shape },
    ]),
  );
  const shapes = layout.list.map(({ name, shape }) => `${name}[${shape.join()}]`);
  const scales = weights.map(({ scale }) => scale);
  return {
    identity: `trained ${shapes.join(' ')} ${scales.join(' ')}`,
    keys: new Set(byKey.keys()),
    inputs,
    beside: (layer) => {
      const weight = byKey.get(layer.key);
      const besides = weight?.act.beside?.(layer, fedOf(layer.key));
      return besides && scaled(besides, weight!.scale);
    },
    change: (key, value) => {
      const { act, scale } = byKey.get(key)!; // one of `keys`
      if (act.change) return act.change(value, fedOf(key), scalar(1));
      return add(value, scaled(act.delta!(value, fedOf(key)), scale));
    },
    feeds: () => feeds,
  };
}

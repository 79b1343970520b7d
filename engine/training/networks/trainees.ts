/**
 * The networks of a model that are trained together, text encoders before the diffusion model: their numbers are
 * one vector, one network behind the other, which optimisers and states see as a whole.
 */
import type { Clip } from '../../values/clip.ts';
import type { Model } from '../../values/model.ts';
import type { WeightSource } from '../../weights/source.ts';
import { type ParameterLayout, layOut } from '../parameters.ts';
import { type Adapter, trainedWeights } from './adapter.ts';
import { type TrainedNetwork, type TrainedPatch, trainedNetwork, trainedPatch } from './trained.ts';

/** A network in training. */
export interface Trainee {
  /** Which text encoder it is; left out: the diffusion model. */
  readonly encoder?: string;
  readonly adapters: readonly Adapter[];
  readonly network: TrainedNetwork;
  /** The first of its numbers in the vector of all. */
  readonly offset: number;
}

export interface Trainees {
  /** In their order; networks of which nothing is trained are left out. */
  readonly list: readonly Trainee[];
  readonly layout: ParameterLayout;
  /** How many numbers, from the first on, are of text encoders. */
  readonly ofEncoders: number;
  /** A vector with the numbers at the start. */
  readonly start: () => Float32Array;
}

/** What is to be trained of a network. */
export interface ToTrain {
  readonly encoder?: string;
  readonly source: WeightSource;
  readonly adapters: readonly Adapter[];
}

/** Lays networks out one behind the other. Throws BAD_INPUT where an adapter does not fit its weight. */
export function together(networks: readonly ToTrain[]): Trainees {
  const list: Trainee[] = [];
  const tensors: [name: string, shape: readonly number[]][] = [];
  let offset = 0;
  for (const { encoder, source, adapters } of networks) {
    if (adapters.length === 0) continue;
    const network = trainedNetwork(trainedWeights(adapters, source));
    list.push({ ...(encoder !== undefined && { encoder }), adapters, network, offset });
    const prefix = encoder === undefined ? '' : `${encoder}.`;
    for (const { name, shape } of network.layout.list) tensors.push([prefix + name, shape]);
    offset += network.layout.size;
  }
  const layout = layOut(tensors);
  return {
    list,
    layout,
    ofEncoders: list.find(({ encoder }) => encoder === undefined)?.offset ?? offset,
    start: () => {
      const all = new Float32Array(layout.size);
      for (const trainee of list) numbersIn(all, trainee).set(trainee.network.start());
      return all;
    },
  };
}

/** A network's stretch of a vector of all: a view. */
export const numbersIn = (all: Float32Array, { offset, network }: Trainee): Float32Array =>
  all.subarray(offset, offset + network.layout.size);

/** Text encoders' numbers and the diffusion model's, which trainers treat as groups: views. */
export const groupsIn = (all: Float32Array, { ofEncoders }: Trainees): readonly Float32Array[] => [
  all.subarray(0, ofEncoders),
  all.subarray(ofEncoders),
];

/** The patch that a network in training is, as the numbers of all are at each call. */
export const patchOf = (trainee: Trainee, all: Float32Array, strength = 1): TrainedPatch =>
  trainedPatch(trainee.network, numbersIn(all, trainee), strength);

/** What is trained, as the numbers of all are at each call, and what it counts. */
export interface Acting {
  readonly trainees: Trainees;
  readonly values: Float32Array;
  /** Left out: 1. */
  readonly strength?: number;
}

const patchesFor = ({ trainees, values, strength }: Acting, name?: string): TrainedPatch[] =>
  trainees.list
    .filter(({ encoder }) => encoder === name)
    .map((trainee) => patchOf(trainee, values, strength));

/** A model with what is trained of it. */
export const adaptedModel = (model: Model, acting: Acting): Model => ({
  ...model,
  patches: [...model.patches, ...patchesFor(acting)],
});

/** Text encoders with what is trained of them; a CLIP of which nothing is stays itself. */
export function adaptedClip(clip: Clip, acting: Acting): Clip {
  if (acting.trainees.ofEncoders === 0) return clip;
  // encoders are told apart by their objects: what is remembered of one holds for its numbers only
  const encoders = clip.encoders.map((encoder) => ({
    ...encoder,
    patches: [...encoder.patches, ...patchesFor(acting, encoder.spec.name)],
  }));
  return { ...clip, encoders };
}

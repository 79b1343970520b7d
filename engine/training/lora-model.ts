/** LORA_MODEL: what TrainLoraNode hands to the nodes that put it on a model or save it. */
import type { NDArray } from '../array/nd.ts';
import { type LoraFile, readLora } from '../values/lora.ts';
import { type WeightSource, memorySource } from '../weights/source.ts';
import { floatTensor } from '../weights/write.ts';
import { type AdapterFacts, type NetworkFacts, adapterMetadata } from './files/metadata.ts';
import { trainingInfo } from './files/training-info.ts';
import { type SavedType, encodeAdapter } from './files/write.ts';

export interface LoraModel {
  /** By the names of ComfyUI's node. */
  readonly tensors: ReadonlyMap<string, NDArray>;
  /** What its numbers are rounded to, wherever they go. */
  readonly type: SavedType;
  readonly facts: Pick<AdapterFacts, 'model' | 'step' | 'network'>;
}

/** The same as a file that is read. */
export function asFile({ tensors, type }: LoraModel): Promise<LoraFile> {
  const rounded = [...tensors].map(
    ([name, { data, shape }]) => [name, floatTensor(data, shape, type)] as const,
  );
  return readLora(memorySource('trained LoRA', 'trained LoRA', rounded));
}

/** The bytes of its file; `step`: how far it was trained, where one says otherwise than it knows itself. */
export function encodeLoraModel(
  { tensors, type, facts }: LoraModel,
  { name, step = facts.step }: { readonly name: string; readonly step?: number | undefined },
): Uint8Array {
  const about: AdapterFacts = { ...facts, trainer: 'kohya', name, step, date: new Date() };
  return encodeAdapter(tensors, adapterMetadata(about), type);
}

/** Who reads files of these algorithms of the node, and what its `rank` means in them. */
const networks: Readonly<Record<string, (rank: number) => NetworkFacts>> = {
  LoRA: (rank) => ({ module: 'networks.lora', dim: rank, alpha: 1 }),
  LoHa: (rank) => lycoris('loha', { dim: rank }),
  LoKr: (rank) => lycoris('lokr', { args: { factor: rank } }),
  OFT: (rank) => lycoris('diag-oft', { dim: rank }),
};

const lycoris = (
  algo: string,
  { dim = null, args = {} }: { readonly dim?: number | null; readonly args?: object },
): NetworkFacts => ({ module: 'lycoris.kohya', dim, alpha: 1, args: { algo, ...args } });

/** What is said of a network that the node made; one of a file keeps its own kinds and ranks. */
export function networkFacts(algorithm: string, rank: number, file?: WeightSource): NetworkFacts {
  const made = networks[algorithm](rank);
  if (!file) return made;
  return { module: file.metadata?.ss_network_module ?? made.module, dim: null, alpha: 1 };
}

/**
 * How many steps a file holds that training goes on from: what it says itself, else the number in front of
 * `_steps_` in its name, else 0.
 */
export function stepsDone(source: Pick<WeightSource, 'metadata'>, name: string): number {
  const named = /(?:^|[\\/_])(\d{1,15})_steps_/.exec(name)?.[1];
  return trainingInfo(source).step ?? Number(named ?? 0);
}

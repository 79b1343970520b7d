/**
 * A model family: everything that differs between SD1, SDXL, Flux … as one plain object.
 * Shared code reads these properties and never asks which family it has.
 */
import type { Tensor } from '../tensor/tensor.ts';
import type { Weights } from '../tensor/cursor.ts';

/** Names and shapes of a checkpoint, all that detection may look at (never file names). */
export interface TensorDirectory {
  has(key: string): boolean;
  shape(key: string): readonly number[] | undefined;
  keys(): Iterable<string>;
}

/** How the network's output is read; see engine/sampling/model-sampling.ts. */
export interface SamplingSettings {
  readonly prediction: 'eps' | 'v' | 'edm' | 'flow' | 'x0';
  readonly schedule: Readonly<Record<string, number | string | boolean>>;
}

export type TextEncoderKind = string;

/** What `detect` found in one file. */
export interface Detected {
  readonly family: Family;
  /** Sizes read from shapes; opaque to everybody but the family's own functions. */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface Family {
  readonly name: string;
  /** The network's config when these tensors (under `prefix`) are of this family. */
  detect(tensors: TensorDirectory, prefix: string): Readonly<Record<string, unknown>> | undefined;
  /** Key prefixes of the parts in a single-file checkpoint, tried in order. */
  readonly prefixes: {
    readonly unet: readonly string[];
    readonly vae: readonly string[];
    readonly text: readonly { readonly prefix: string; readonly encoder: TextEncoderKind }[];
  };
  sampling(tensors: TensorDirectory, config: Readonly<Record<string, unknown>>): SamplingSettings;
  /** Name of the latent format in engine/sampling/latent-format.ts. */
  readonly latentFormat: string;
  /** Bytes of working memory per latent cell and row, relative (ComfyUI's memory_usage_factor). */
  readonly memoryFactor: number;
  /** The network as a traced function. */
  network(
    w: Weights,
    inputs: Readonly<Record<string, Tensor>>,
    config: Readonly<Record<string, unknown>>,
  ): Tensor;
}

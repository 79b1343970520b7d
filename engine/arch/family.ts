/**
 * A model family: everything that differs between SD1, SDXL, Flux ... as one plain object.
 * Shared code reads these properties and never asks which family it has.
 */
import type { Weights } from '../tensor/cursor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from '../tensor/trace.ts';

/** Sizes read from shapes; opaque to everybody but the family's own functions. */
export interface Config {
  readonly inChannels: number;
  /** Width of the text embedding the network attends to. */
  readonly contextWidth: number | undefined;
}

/** What detection may look at: names and shapes, and the numbers of a few small tensors. */
export interface Candidate {
  /** The diffusion model's own keys (its prefix removed). */
  readonly model: Weights;
  /** The whole file; some families are told apart by marker keys beside the model. */
  readonly file: Weights;
  /** The numbers of a small tensor of `model` or `file`; undefined when it is missing. */
  readonly values: (from: Weights, key: string) => Promise<Float32Array | undefined>;
}

/** How the network's output is read; see engine/sampling/model-sampling.ts. */
export interface SamplingSettings {
  readonly prediction: 'eps' | 'v' | 'edm' | 'v-edm' | 'flow';
  readonly schedule: Readonly<Record<string, number | string | boolean>>;
}

/** How one text encoder is run for a family. */
export interface TextEncoderSpec {
  /** Name of the encoder's vectors in embedding files (`clip_l`); also names its token list. */
  readonly name: string;
  readonly activation: 'quickGelu' | 'gelu';
  /** The block whose output is used unless clip skip says otherwise; -1 is the last. */
  readonly layer: number;
  /** Whether that output passes the final LayerNorm. */
  readonly finalNorm: boolean;
  /** Whether the pooled output is multiplied by the text projection. */
  readonly projected: boolean;
  /** What fills a chunk behind the end token. */
  readonly pad: 'end' | 'zero';
  /** Whether tokens behind the first end token are hidden from attention. */
  readonly maskPadding: boolean;
}

/** The text side of a family: outputs of all encoders are joined on channels. */
export interface TextSetup {
  readonly encoders: readonly TextEncoderSpec[];
  /** Index of the encoder whose pooled output is used. */
  readonly pooledFrom: number;
}

/**
 * Channels behind the noisy latent: none; mask and masked picture; the picture to change, as a raw
 * latent or in the model's units.
 */
export type ExtraChannels = 'none' | 'inpaint' | 'instruct' | 'instruct-scaled';

/** Size of the picture a latent stands for, in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

export interface Family {
  readonly name: string;
  /** Name for people, used in messages. */
  readonly title: string;
  /** The network's config when the candidate is of this family. */
  detect(candidate: Candidate): Config | undefined;
  sampling(candidate: Candidate, config: Config): Promise<SamplingSettings>;
  /** Where a single-file checkpoint keeps its picture autoencoder; the first prefix that exists. */
  readonly vaePrefixes: readonly string[];
  readonly text: TextSetup;
  /** Where it keeps each text encoder (as `text.encoders`); the first prefix that exists. */
  readonly textPrefixes: readonly (readonly string[])[];
  /** Name of the latent format in engine/sampling/latent-format.ts. */
  readonly latentFormat: string;
  /** ComfyUI's memory_usage_factor: how hungry a step is per latent cell. */
  readonly memoryFactor: number;
  /** What is fed beside the noisy latent on further channels. */
  extraChannels(config: Config, sampling: SamplingSettings): ExtraChannels;
  /** Sizes and scores a family's vector condition is made of; absent when there is none. */
  readonly vector?: {
    readonly pooledWidth: (config: Config) => number;
    /** The numbers, in the network's order, from a conditioning entry's extras. */
    readonly numbers: (
      extra: Readonly<Record<string, unknown>>,
      picture: PictureSize,
    ) => readonly number[];
  };
  /**
   * The network as a traced function. Declares inputs `x` [batch, c, height, width], `timesteps`
   * [batch], `cross` [batch, tokens, contextWidth], and `pooled` and `numbers` with a `vector`;
   * returns the raw output `out`.
   */
  network(g: Graph, config: Config): Record<string, Tensor>;
}

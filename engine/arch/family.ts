/**
 * A model family: everything that differs between SD1, SDXL, Flux ... as one plain object.
 * Shared code reads these properties and never asks which family it has.
 */
import type { NDArray } from '../array/nd.ts';
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import type { SamplingSettings } from '../sampling/model-sampling.ts';
import type { Weights } from '../tensor/cursor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from '../tensor/trace.ts';
import type { ClipOptions } from './clip.ts';
import type { ResidualPlaces } from './residual-places.ts';
import type { SequenceSpec } from './sequence-spec.ts';

/** What detection may look at: names and shapes, and the numbers of a few small tensors. */
export interface Candidate {
  /** The diffusion model's own keys (its prefix removed). */
  readonly model: Weights;
  /** The whole file; some families are told apart by marker keys beside the model. */
  readonly file: Weights;
  /** The numbers of a small tensor of `model` or `file`; undefined when it is missing. */
  readonly values: (from: Weights, key: string) => Promise<Float32Array | undefined>;
}

/** How a CLIP is run for a family; `layer` is used unless clip skip says otherwise. */
export interface ClipSpec extends ClipOptions {
  readonly kind: 'clip';
  /** Name of the encoder's vectors in embedding files (`clip_l`); also names its token list. */
  readonly name: string;
  /** Layers in files that leave out the last one, because `layer` never reaches it. */
  readonly shortened?: number;
  /** What fills a chunk behind the end token. */
  readonly pad: 'end' | 'zero';
  /** Whether tokens behind the first end token are hidden from attention. */
  readonly maskPadding: boolean;
}

/** How one text encoder is run for a family; `kind` is its row in engine/values/text-encoders.ts. */
export type TextEncoderSpec = ClipSpec | SequenceSpec;

/** What a text encoder makes of one prompt. */
export interface EncodedText {
  /** [1, tokens of all batches, width]; of an encoder that gives all its states [1, states, tokens, width]. */
  readonly hidden: NDArray;
  /** [1, width], of the first batch; of encoders that have one. */
  readonly pooled?: NDArray;
  /** 1 for text, 0 for padding [1, tokens]; where the network is told of it. */
  readonly mask?: NDArray;
}

/** The text side of a family. */
export interface TextSetup {
  readonly encoders: readonly TextEncoderSpec[];
  /** The same with these of its encoders only; left out: it needs all of them. */
  readonly of?: (names: readonly string[]) => TextSetup;
  /**
   * The text part of a conditioning entry, from the outputs of the encoders by their names; of an encoder
   * that a prompt has nothing for there is none. What else a network reads is in `extra` (masks, states).
   */
  join(
    outputs: Readonly<Record<string, EncodedText | undefined>>,
  ): Pick<ConditioningEntry, 'cross' | 'pooled' | 'extra'>;
}

/**
 * Channels behind the noisy latent: none; mask and masked picture, or masked picture and the mask in pixels;
 * the picture to change, as a raw latent, in the model's units, or noised in them; the small picture to upscale,
 * in colours, with its noise level.
 */
export type ExtraChannels =
  | 'none'
  | 'inpaint'
  | 'inpaint-pixels'
  | 'instruct'
  | 'instruct-scaled'
  | 'instruct-noised'
  | 'low-resolution';

/**
 * What a network is told beside the text and the latent; kinds are rows of engine/values/conditions.ts, which
 * says which inputs they make.
 */
export type Condition =
  /** The pooled text `pooled` [b, width]; 0 where there is none. */
  | { readonly kind: 'pooled'; readonly width: number }
  /** The strength `guidance` [b] that a model was distilled with; `otherwise` where conditioning has none. */
  | { readonly kind: 'guidance'; readonly otherwise: number }
  /**
   * Pictures to look at, `reference0` [b, c, h, w] … and their `place0` [b, 3] … (plane, row, column), and where
   * they count as clean `reference_time` [b]. The first method is taken where conditioning names none, `offset`
   * where it names one that is not here; tokens have `patch` cells a side, planes lie `apart`.
   */
  | {
      readonly kind: 'references';
      readonly methods: readonly ReferenceMethod[];
      readonly patch?: number;
      readonly apart?: number;
    }
  /** The size of the picture in pixels, `sizes` [b, 3]: height, width and their ratio; where conditioning says it. */
  | { readonly kind: 'size-and-ratio' }
  /** How much of each frame a mask leaves to be made, `shares` [b, frames]; where there is a mask. */
  | { readonly kind: 'shares' }
  /** Embeddings of pictures `pictures` [b, n, width], each times its strength; one of zeros where there are none. */
  | { readonly kind: 'pictures'; readonly width: number }
  /** The latent of the stage before `prior` [b, channels, h, w], of any size; zeros where there is none. */
  | { readonly kind: 'prior'; readonly channels: number }
  /** Words before each of those pictures and behind all, `words0` [b, tokens, width] …; none without pictures. */
  | { readonly kind: 'reference-words'; readonly width: number }
  /** What an encoder saw of each of them, `view0` [b, rows, columns, width] …; none without pictures. */
  | { readonly kind: 'reference-views'; readonly width: number }
  /**
   * Biases of attention between the text's tokens and, last, all of the picture `attention_bias`
   * [b, tokens + 1, tokens + 1] (engine/values/attention-bias.ts), where conditioning has some.
   */
  | { readonly kind: 'attention-bias' }
  /** `cross` without the tokens behind the text, which `attention_mask` tells. */
  | { readonly kind: 'trimmed-text' }
  /**
   * The states of the first `count` layers of a language model, `states` [b, count, tokens, width], from
   * `conditioning_llama3`.
   */
  | { readonly kind: 'states'; readonly count: number; readonly width: number }
  /** The picture to change, `beside` [b, c, h, w], which stands to the right of the latent. */
  | { readonly kind: 'beside' }
  /**
   * The second text `second` [b, tokens, width], and where both are text, `mask` and `second_mask` [b, tokens]:
   * `conditioning_mt5xl`, `attention_mask` and `attention_mask_mt5xl`.
   */
  | { readonly kind: 'second-text'; readonly width: number; readonly atLeast: number }
  /** `sizes` [b, 6]: height and width in pixels, those aimed at, and the corner of a cut, which is 0. */
  | { readonly kind: 'sizes'; readonly otherwise: number }
  /** What another encoder made of the prompt, under `from` in the extras: `input` [b, tokens, width]; none makes no input. */
  | {
      readonly kind: 'further-text';
      readonly from: string;
      readonly input: string;
      readonly width: number;
    }
  /** The noise level that the sampler goes to, `next_sigma` [b]; none where it does not stop at the call's. */
  | { readonly kind: 'next-sigma' }
  /** `cross` with zeros in front up to a length. */
  | { readonly kind: 'padded-text'; readonly atLeast: number };

/** How pictures to look at are placed (engine/values/reference-places.ts). */
export type ReferenceMethod = 'offset' | 'index' | 'index_timestep_zero' | 'negative_index' | 'uxo';

/** Size of the picture a latent stands for, in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/**
 * A family whose networks have a config `C`: the sizes that its `detect` reads from shapes. To shared
 * code the config is unknown; it only hands each family what that family itself detected, which is
 * why everything here that takes a config is a method (a `Family<C>` is then also a `Family`).
 */
export interface Family<C = unknown> {
  readonly name: string;
  /** Name for people, used in messages. */
  readonly title: string;
  /** The network's config when the candidate is of this family. */
  detect(candidate: Candidate): C | undefined;
  sampling(candidate: Candidate, config: C): Promise<SamplingSettings>;
  /** Where a single-file checkpoint keeps its picture autoencoder; the first prefix that exists. */
  readonly vaePrefixes: readonly string[];
  /** Where it keeps a picture encoder, in families of models that look at pictures. */
  readonly visionPrefix?: string;
  /** Starts of keys beside the diffusion model's own that its network reads as well. */
  readonly besideModel?: readonly string[];
  readonly text: TextSetup;
  /** Where it keeps each text encoder (as `text.encoders`); the first prefix that exists. */
  readonly textPrefixes: readonly (readonly string[])[];
  /** Saved checkpoints number the positions of text encoders under huggingface's names, as ComfyUI's do. */
  readonly savesPositions?: boolean;
  /** What saved checkpoints say they are (`modelspec.architecture`); absent where nothing is said. */
  modelspec?(config: C): string;
  /** Name of the latent format in engine/sampling/latent/formats.ts. */
  readonly latentFormat: string;
  /** ComfyUI's memory_usage_factor: how hungry a step is per latent cell. */
  readonly memoryFactor: number;
  /** Values of its networks overflow in half precision: ComfyUI computes them in bf16, or else in f32. */
  readonly fullPrecision?: boolean;
  /** Width of the text embedding the network attends to; undefined where it attends to none. */
  contextWidth(config: C): number | undefined;
  /**
   * Texts of unequal length may be repeated to a common one to share a call, for the network only looks at them;
   * absent where they are part of its sequence.
   */
  readonly repeatsText?: boolean;
  /**
   * What makes a condition of another width into one that the network attends to, once for a run: `cross`
   * [batch, tokens, width] in, `cross` [batch, tokens, contextWidth] out.
   */
  readonly projection?: {
    width(config: C): number;
    network(g: Graph, config: C): Record<string, Tensor>;
  };
  /** While parts of a picture are made anew, the kept ones look clean to the network; left out: as noisy as the rest. */
  readonly keepsClean?: boolean;
  /** What is fed beside the noisy latent on further channels. */
  extraChannels(config: C, sampling: SamplingSettings): ExtraChannels;
  /** What the network is told beyond what stands here; absent where nothing. */
  conditions?(config: C): readonly Condition[];
  /**
   * Names of its blocks as nodes count them: those in which text and picture have weights of their own, and
   * those in which they share them.
   */
  readonly blocks?: { readonly double?: string; readonly single?: string };
  /** Where control networks add to the network of these weights; absent where they cannot. */
  readonly residuals?: (model: Weights) => ResidualPlaces;
  /** Sizes and scores a family's vector condition is made of; absent when there is none. */
  readonly vector?: {
    pooledWidth(config: C): number;
    /** The numbers, in the network's order, from a conditioning entry's extras; none makes no input. */
    numbers(extra: Readonly<Record<string, unknown>>, picture: PictureSize): readonly number[];
    /** How pictures stand in for the pooled text (engine/values/unclip.ts). */
    readonly pictures: {
      /** Width of a picture's embedding. */
      width(config: C): number;
      /** Noise put on the sum of several pictures, 0..1. */
      readonly mergeNoise: number;
    };
    /** Without pictures the vector is 0, whatever the text says. */
    readonly picturesOnly?: boolean;
  };
  /**
   * The network as a traced function. Declares inputs `x` [batch, c, height, width], `timesteps`
   * [batch], `cross` [batch, tokens, contextWidth], with a `vector` `pooled` and (if any) `numbers`, with
   * a small picture on extra channels `level` [batch], and those of its `conditions` that a call brings (`given`);
   * returns the raw output `out`.
   */
  network(g: Graph, config: C, given: ReadonlySet<string>): Record<string, Tensor>;
}

/** A family as written; its config's type is that of what `detect` gives. */
export const defineFamily = <C>(family: Family<C>): Family<C> => family;

/** What an architecture of upscalers says of itself; the list of them is kinds.ts. */
import type { Weights } from '../../tensor/cursor.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** What is known of every upscaler, whatever its architecture. */
export interface UpscalerFacts {
  /** Pixels of the result for each pixel and side. */
  readonly scale: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  /** Smaller pictures are first padded to this many pixels a side. */
  readonly minimum?: number;
  /** Sides are padded to multiples of this: windows, or pixels that become channels. */
  readonly multipleOf?: number;
  /** Half precision is too coarse for it: it computes places in the picture, or sorts them. */
  readonly fullPrecision?: boolean;
}

/** Reads the numbers of a small tensor under the cursor. */
export type ReadNumbers = (key: string) => Promise<Float32Array>;

export interface UpscaleKind<C = unknown> {
  /** As model collections call it. */
  readonly name: string;
  /** The upscaler under the cursor; undefined when it is of another architecture. */
  detect(w: Weights, read: ReadNumbers): Detected<C> | Promise<Detected<C>>;
  /** The result [1, out, h*scale, w*scale] of a picture [1, in, h, w], both about 0..1. */
  build(w: Weights, picture: Tensor, config: C): Tensor;
}

/** Facts, and what `build` needs beside them, from keys and shapes. */
export type Detected<C> = (UpscalerFacts & { readonly config: C }) | undefined;

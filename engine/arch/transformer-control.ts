/**
 * Control networks of diffusion transformers: the transformer's own first blocks on a hint, whose tokens become
 * residuals for the picture's tokens (residual-places.ts).
 */
import type { Weights } from '../tensor/cursor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from '../tensor/trace.ts';
import type { ControlLists } from './residual-places.ts';

/** What a network is fed of a hint picture. */
export type ControlHint =
  /** The picture [b, 3, 8*h, 8*w] in 0..1. */
  | { readonly kind: 'picture' }
  /**
   * Its latent in the units of a format, or unshifted ones; `masked`: with a further channel that is 0 where the
   * picture is painted anew.
   */
  | {
      readonly kind: 'latent';
      readonly format: string;
      readonly unshifted?: boolean;
      readonly masked: boolean;
      /** What the picture's numbers become before it is encoded, by the kind of hint that a file is for. */
      readonly preparations?: Readonly<Record<number, (value: number) => number>>;
    };

/** What shared code reads of a network's config. */
export interface ControlSizes {
  /** Channels of the noisy latent. */
  readonly inChannels: number;
  /** Left out: it does not read the text. */
  readonly contextWidth?: number;
  /** Width of the pooled text, where it reads it. */
  readonly pooledWidth?: number;
  /** Channels of the residuals; their tokens are squares of 2 latent cells a side. */
  readonly channels: number;
  readonly hint: ControlHint;
  /** Kinds of hints that it can be told of; 0: none. */
  readonly types: number;
  /** What a strength counts as; left out: itself. */
  readonly strength?: (value: number) => number;
  /** Names of the outputs, one for every block of the model; several blocks may share one. */
  readonly lists: ControlLists<string>;
}

export interface TransformerControl<C extends ControlSizes = ControlSizes> {
  /** Names its programs. */
  readonly name: string;
  /** What a file of it has: the network's sizes; undefined for another file. */
  detect(w: Weights): C | undefined;
  /** Modules that it takes from the model it steers: its own name, the model's. */
  borrowed?(config: C): readonly (readonly [own: string, models: string])[];
  /**
   * Declares inputs as it needs them: `x` [b, c, h, w] (or with frames), `timesteps` [b], `cross` [b, t, width],
   * `hint`, `pooled` [b, width], `guidance` [b] where it is `given`, `type` [1] where one is told; outputs
   * [b, n, channels].
   */
  network(g: Graph, config: C, given: ReadonlySet<string>): Record<string, Tensor>;
}

/** Every one so often that there are `count`, or a few more: the first ones' copies follow each. */
export const eachRepeated = (names: readonly string[], count: number): string[] =>
  names.flatMap((name) => new Array<string>(Math.ceil(count / names.length)).fill(name));

/** All of them, then all again, until there are `count`. */
export const allRepeated = (names: readonly string[], count: number): string[] =>
  names.length === 0 ? [] : Array.from({ length: count }, (_, i) => names[i % names.length]);

/** What steers a sampler: text embeddings with their regions, masks, ranges and extras. */
import type { NDArray } from '../array/nd.ts';

/** A region in latent cells, or in fractions of the picture. */
export type Area =
  | {
      readonly kind: 'cells';
      readonly height: number;
      readonly width: number;
      readonly y: number;
      readonly x: number;
    }
  | {
      readonly kind: 'percentage';
      readonly height: number;
      readonly width: number;
      readonly y: number;
      readonly x: number;
      /** Part of a video; left out: all frames. */
      readonly time?: { readonly length: number; readonly start: number };
    };

/** One entry of a CONDITIONING list. Immutable: nodes return changed copies. */
export interface ConditioningEntry {
  /** Cross-attention context [1, tokens, width]. */
  readonly cross: NDArray;
  /** Pooled text embedding [1, width]. */
  readonly pooled?: NDArray;
  readonly area?: Area;
  readonly strength?: number;
  /** [batch, h, w] in any size. */
  readonly mask?: NDArray;
  readonly maskStrength?: number;
  readonly setAreaToBounds?: boolean;
  readonly startPercent?: number;
  readonly endPercent?: number;
  /** InpaintModelConditioning: what an inpaint model gets beside x. */
  readonly concatLatent?: NDArray;
  readonly concatMask?: NDArray;
  /** Changes of the network that hold for this entry alone; entries with other hooks share no call. */
  readonly hooks?: unknown;
  /** Anything a family's model reads from its conditioning (sizes, guidance, references …). */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export type Conditioning = readonly ConditioningEntry[];

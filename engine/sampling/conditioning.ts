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

/**
 * What changes the network in the calls of the entries that carry it: a chain of ControlNets, hooks,
 * boxes of words. Samplers compare such objects by identity and hand them on; what they do is the
 * business of whoever implements the model (engine/values/changes.ts).
 */
export interface NetworkChange {
  /** Lists that have no change of this kind get the one of the positive list. */
  readonly spreads?: boolean;
}

/** One entry of a CONDITIONING list. Immutable: nodes return changed copies. */
export interface ConditioningEntry {
  /** Cross-attention context [1, tokens, width]. */
  readonly cross: NDArray;
  /** What ControlNets attend to instead [1, tokens, width]. */
  readonly crossControl?: NDArray;
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
  /** The part of the run for which its text was encoded; it counts only inside both ranges. */
  readonly textRange?: { readonly start: number; readonly end: number };
  /** Counts where the other entries of its list do not, in place of its own strength and mask. */
  readonly isDefault?: boolean;
  /** InpaintModelConditioning: what an inpaint model gets beside x. */
  readonly concatLatent?: NDArray;
  readonly concatMask?: NDArray;
  /** By kind (`control`, `hooks` …). Entries share a call when they carry the same objects. */
  readonly changes?: Readonly<Record<string, NetworkChange>>;
  /** Anything a family's model reads from its conditioning (sizes, guidance, references …). */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export type Conditioning = readonly ConditioningEntry[];

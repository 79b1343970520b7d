/**
 * How others reach into a network: at its sites (ControlNet, FreeU, attention changes, tests) and at
 * its layers (LoRA and kin). Architectures name their parts through the weights cursor and know
 * nothing of who listens; what a patch does becomes part of the traced program.
 */
import type { Dim } from './shape.ts';
import type { Tensor } from './tensor.ts';

export type SiteInputs = Readonly<Record<string, Tensor>>;

/**
 * A part of a network: its inputs by name and how they become its output. The name is the part's
 * path in the checkpoint (`input_blocks.4`, `….transformer_blocks.0.attn1`).
 */
export interface Site {
  readonly name: string;
  readonly inputs: SiteInputs;
  /** The part on these inputs, with the patches before this one. */
  readonly run: (inputs: SiteInputs) => Tensor;
  readonly facts: SiteFacts;
  /** Makes a tensor an output of the program, beside the network's own. */
  readonly output: (name: string, value: Tensor) => void;
}

/** What cannot be read from the shapes of the inputs. */
export interface SiteFacts {
  /** Height and width of the picture whose positions are the tokens. */
  readonly grid?: readonly Dim[];
  /** Heads of an attention. */
  readonly heads?: number;
  /** How many tokens of text stand in front of the picture's, where both are one sequence. */
  readonly text?: Dim;
}

/** A linear layer or convolution as patches see it. */
export interface Layer {
  /** Key of its weight. */
  readonly key: string;
  readonly x: Tensor;
  /** Shape of the stored weight: [out, in, ...kernel]. */
  readonly shape: readonly number[];
  /** The layer on another weight of the same inputs, with the layer's own strides, without bias. */
  readonly run: (weight: Tensor) => Tensor;
}

/** A change to a network. Patches apply in order, each on the result of those before it. */
export interface Patch {
  /**
   * Everything the traced program depends on (kind, places, shapes, fixed numbers): part of the
   * session's key. Not the numbers that are fed at run time, which may change without a new session.
   */
  readonly identity: string;
  /** The output of a part, perhaps from changed inputs; undefined leaves the part as it is. */
  at?(site: Site): Tensor | undefined;
  /** Keys of the parameters that it changes. */
  readonly keys?: ReadonlySet<string>;
  /** A parameter (weight, bias, norm …) with all that the patch does to it, as f32. */
  change?(key: string, value: Tensor): Tensor;
  /**
   * What a layer's output gets in place of a change of its weight, which then stays as it is stored: for
   * changes that are small beside the weight (LoRA, Hu et al. 2021).
   */
  beside?(layer: Layer): Tensor | undefined;
  /** What a layer's output is multiplied by in place of its weight and bias; broadcasts. */
  scale?(key: string): Tensor | undefined;
}

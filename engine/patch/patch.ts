/** Patches as values carry them: what they do to the program, and what they feed it at every call. */
import type { NDArray } from '../array/nd.ts';
import type { SessionInput } from '../runtime/runtime.ts';
import type { ModelInput } from '../sampling/model.ts';
import type { Patch } from '../tensor/patch.ts';

/** One call of a network, as its patches see it. */
export interface NetworkCall {
  /** Rows of the batch. */
  readonly rows: number;
  /** What a diffusion model is asked: noise level, picture, and which conditioning the rows belong to. */
  readonly input?: Pick<ModelInput, 'sigma' | 'x' | 'parts' | 'run'>;
}

/** Values of inputs by name. */
export type Feeds = Readonly<Record<string, SessionInput>>;

export interface NetworkPatch extends Patch {
  /** Whether the patch acts at a call; left out: always. With and without are two programs. */
  active?(call: NetworkCall): boolean;
  /** Values of the inputs that the patch added to the program. */
  feeds?(call: NetworkCall): Feeds | Promise<Feeds>;
  /** Takes what came of the outputs that the patch added to the program. */
  receive?(outputs: Readonly<Record<string, NDArray>>, call: NetworkCall): void;
  /** The call is over, whatever came of it: what was fed is read no more. */
  done?(): void;
}

/** What all patches feed to a call. */
export async function feedsOf(patches: readonly NetworkPatch[], call: NetworkCall): Promise<Feeds> {
  const feeds: Record<string, SessionInput> = {};
  for (const patch of patches) Object.assign(feeds, await patch.feeds?.(call));
  return feeds;
}

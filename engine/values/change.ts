/** What a kind of change of a network is to the calls of a sampler (`changes.ts` lists the kinds). */
import type { Family } from '../arch/family.ts';
import type { NetworkPatch } from '../patch/patch.ts';
import type { ModelInput } from '../sampling/model.ts';
import type { ModelSampling } from '../sampling/model-sampling.ts';
import type { NetworkRun, Weighted } from './network.ts';

/** What a change is bound to: one run of a sampler on one model. */
export interface ChangeRun extends NetworkRun {
  /** The network that is sampled, with the patches of its value. */
  readonly network: Weighted;
  readonly family: Pick<Family, 'title' | 'residuals' | 'blocks' | 'fullPrecision'>;
  readonly sampling: ModelSampling;
}

/** A change ready for calls; what it keeps for them lives as long as the run. */
export interface BoundChange {
  /** Patches of one call, put on behind those of the model. */
  patches(input: ModelInput): Promise<readonly NetworkPatch[]>;
  /** Working memory that it takes for each latent cell of a row, in bytes, beside the network's own. */
  readonly cellBytes: number;
}

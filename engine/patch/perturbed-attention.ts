/** Perturbed attention (Ahn et al. 2024): in the middle of a UNet every position sees itself alone. */
import type { NetworkPatch } from './patch.ts';

/** Self-attention of the middle block gives its values as they are. */
export const perturbedAttention: NetworkPatch = {
  identity: 'perturbed attention',
  at: ({ name, inputs }) =>
    /^middle_block\.1\.transformer_blocks\.\d+\.attn1\.attention$/.test(name)
      ? inputs.v
      : undefined,
};

/** Hooks on text encoders (SetClipHooks). */
import { clipNames } from '../patch/lora/names.ts';
import type { Hook, HookGroup } from './hook-group.ts';
import { hookPatches } from './hooks.ts';
import type { TextEncoder } from './text-encoder.ts';

export interface ClipHooks {
  readonly group: HookGroup;
  /** What is encoded carries the hooks for the diffusion model, too. */
  readonly onConditioning: boolean;
  /** Prompts are encoded anew for every part of the run with strengths of its own. */
  readonly scheduled: boolean;
  /** Strengths of one such part; without them every hook has its full strength. */
  readonly strengths?: ReadonlyMap<Hook, number>;
}

/** The encoder with the patches of the hooks behind its own. */
export function hookedEncoder(encoder: TextEncoder, { group, strengths }: ClipHooks): TextEncoder {
  const { name } = encoder.spec;
  const names = clipNames(name, encoder.source.tensors.keys());
  const active = group.hooks.filter(({ strengthClip }) => strengthClip !== 0);
  const patches = hookPatches(
    active,
    { network: encoder, part: name, names },
    (hook) => hook.strengthClip * (strengths?.get(hook) ?? 1),
  );
  return { ...encoder, patches: [...encoder.patches, ...patches] };
}

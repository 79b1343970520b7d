/** Inputs that diffusion transformers share. */
import type { Tensor } from '../../tensor/tensor.ts';
import type { Graph } from '../../tensor/trace.ts';
import type { Reference } from '../flux-places.ts';

/** The noisy latent with what lies beside it (with `frames` [b, channels, frames, h, w]), its time, and the text. */
export function ditInputs(
  g: Graph,
  { inChannels, contextWidth }: { readonly inChannels: number; readonly contextWidth: number },
  frames: readonly string[] = [],
): Readonly<Record<'x' | 'timesteps' | 'context', Tensor>> {
  return {
    x: g.input('x', 'f32', ['batch', inChannels, ...frames, 'height', 'width']),
    timesteps: g.input('timesteps', 'f32', ['batch']),
    context: g.input('cross', 'f32', ['batch', 'tokens', contextWidth]),
  };
}

/**
 * The pictures that a call brings to be looked at, in their order (condition `references`): [b, channels, h, w],
 * with `frames` [b, channels, frames, h, w].
 */
export function referencesOf(
  g: Graph,
  given: ReadonlySet<string>,
  channels: number,
  frames: readonly number[] = [],
): { readonly references: readonly Reference[]; readonly referenceTime?: Tensor } {
  const references: Reference[] = [];
  for (let i = 0; given.has(`reference${i}`); i++) {
    const sizes = [...frames, `height${i}`, `width${i}`];
    references.push({
      latent: g.input(`reference${i}`, 'f32', ['batch', channels, ...sizes]),
      place: g.input(`place${i}`, 'f32', ['batch', 3]),
    });
  }
  if (!given.has('reference_time')) return { references };
  return { references, referenceTime: g.input('reference_time', 'f32', ['batch']) };
}

/** Models that a picture steers block by block (DiffSynth). */
import { sliceAxis } from '../array/batch.ts';
import type { BlockControl } from './block-control.ts';
import { keptMask } from './kept-part.ts';
import type { Mask } from './media.ts';
import type { Model } from './model.ts';
import { requireKind } from './model-patch.ts';
import { type Vae, requireVae } from './vae.ts';

const colours = 3;

/**
 * The model with a control behind those it has. `mask` [n, h, w] is 1 where the picture is painted anew. Throws
 * BAD_INPUT for another patch, NO_VAE without an autoencoder.
 */
export function withBlockControl(
  model: Model,
  given: Omit<BlockControl, 'name' | 'vae' | 'mask'> & {
    readonly vae: Vae | null;
    readonly mask?: Mask | undefined;
  },
): Model {
  requireKind(given.net, 'blockwise');
  const { changes = [] } = model;
  const { mask, image } = given;
  const control: BlockControl = {
    ...given,
    name: `blockwise${changes.length}`,
    vae: requireVae(given.vae),
    image: sliceAxis(image, 3, 0, Math.min(colours, image.shape[3])),
    mask: mask && keptMask(mask),
  };
  return { ...model, changes: [...changes, ['block-control', control]] };
}

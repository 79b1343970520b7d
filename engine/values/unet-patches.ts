/** Patches of MODEL values whose network is a UNet. */
import { detectUNet } from '../arch/unet.ts';
import { NoodleError } from '../errors.ts';
import { type FreeUOptions, freeuPatch } from '../patch/freeu.ts';
import { openWeights } from '../tensor/cursor.ts';
import type { Model } from './model.ts';

/** The model with FreeU in its decoder. Throws BAD_INPUT for other networks than UNets. */
export function withFreeU(model: Model, options: Omit<FreeUOptions, 'modelChannels'>): Model {
  const unet = detectUNet(openWeights(model.source));
  if (!unet) {
    const subject = 'the model for FreeU';
    throw new NoodleError('BAD_INPUT', { subject, expected: 'a UNet', got: model.family.title });
  }
  const patch = freeuPatch({ ...options, modelChannels: unet.modelChannels });
  return { ...model, patches: [...model.patches, patch] };
}

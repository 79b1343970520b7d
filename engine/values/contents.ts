/** What a file holds, for the refusals of whoever wanted something else. */
import { openWeights } from '../tensor/cursor.ts';
import { type WeightSource, sub } from '../weights/source.ts';
import { modelPrefix } from '../arch/families/detect.ts';
import { foreignModel, otherKind } from '../arch/families/foreign.ts';

/** ` but seems to be …`, with the folder of such files, where that is known; else empty. */
export function instead(file: WeightSource): string {
  const inside = sub(file, modelPrefix(file.tensors.keys()));
  const model = foreignModel(openWeights(inside.tensors.size > 0 ? inside : file));
  const what =
    model === undefined
      ? otherKind(file.tensors.keys())
      : `a diffusion model, ${model} (models/diffusion_models or checkpoints)`;
  return what === undefined ? '' : ` but seems to be ${what}`;
}

/** Cases of autoencoders: a picture to its latent and a latent to its picture. */
import { reshape } from '../../../engine/array/nd.ts';
import { NoodleError } from '../../../engine/errors.ts';
import { openVae } from '../../../engine/values/autoencoders.ts';
import { decode, encode } from '../../../engine/values/vae.ts';
import { openSource } from '../../../engine/weights/open.ts';
import { sub } from '../../../engine/weights/source.ts';
import { type CaseResult, type Comparison, compare } from '../area.ts';
import { goldenRuntime } from '../device.ts';
import { findModelFile, modelFile } from '../model-file.ts';
import { type GoldenCase, gunzipped } from '../open-case.ts';

const runtime = goldenRuntime();

/** Encodes and decodes as the case has inputs for; skipped where the kind is not known or cannot do videos. */
export async function autoencoderCase(
  dir: string,
  area: string,
  golden: GoldenCase<{ readonly model?: string; readonly [name: string]: unknown }>,
): Promise<CaseResult> {
  const { model, ...others } = golden.params;
  if (others.tile_x !== undefined) return { skip: 'tiles over time are not here' };
  try {
    const path = findModelFile(dir, area, model!) ?? modelFile(dir, area, `${model}.safetensors`);
    const file = await openSource(await gunzipped(path));
    const inside = sub(file, 'first_stage_model.');
    const vae = openVae(inside.tensors.size > 0 ? inside : file);
    const comparisons: Comparison[] = [];
    if (golden.has('in.image')) {
      const latent = await encode(vae, golden.array('in.image'), { runtime });
      const expected = golden.array('out.encoded');
      comparisons.push(compare('out.encoded', latent, expected, golden.tolerance));
    }
    if (golden.has('in.latent')) {
      const pictures = await decode(vae, golden.array('in.latent'), { runtime });
      const expected = golden.array('out.pixels');
      const same = reshape(pictures, expected.shape);
      comparisons.push(compare('out.pixels', same, expected, golden.tolerance));
    }
    return { comparisons };
  } catch (error) {
    const isReason = error instanceof NoodleError;
    if (isReason && ['FAMILY_UNKNOWN', 'UNSUPPORTED'].includes(error.code)) {
      return { skip: error.message };
    }
    throw error;
  }
}

/** Golden cases about what VAEEncodeForInpaint and InpaintModelConditioning hand to the autoencoder. */
import { channelsLast } from '../../../engine/array/layout.ts';
import { type NDArray, nd, zeros } from '../../../engine/array/nd.ts';
import type { Latent } from '../../../engine/values/media.ts';
import { pixelSpaceVae } from '../../../engine/values/autoencoders.ts';
import type { AutoencoderKind, Vae } from '../../../engine/values/vae.ts';
import { inpaintModelConditioning } from '../../../nodes/conditioning.ts';
import { vaeEncodeForInpaint } from '../../../nodes/vae.ts';
import type { Comparison } from '../area.ts';
import { check, type PictureCase, runNode } from './run-node.ts';

/** An autoencoder that only keeps the pictures it was given, back in 0..1 and [b, h, w, 3]. */
function recorder(space: number): { vae: Vae; seen: NDArray[] } {
  const seen: NDArray[] = [];
  const kind: AutoencoderKind = {
    ...pixelSpaceVae.kind,
    encode: (_, pictures) => {
      const pixels = channelsLast(pictures);
      seen.push(
        nd(
          pixels.data.map((v) => (v + 1) / 2),
          pixels.shape,
        ),
      );
      const [b, , h, w] = pictures.shape;
      return Promise.resolve(zeros([b, 4, Math.floor(h / 8), Math.floor(w / 8)]));
    },
    decode: () => Promise.reject(new Error('nothing is decoded here')),
    bytes: () => 0,
  };
  return { vae: { ...pixelSpaceVae, kind, latentChannels: 4, factor: { space } }, seen };
}

/** Every mask of the file through both nodes. */
export async function inpaint(golden: PictureCase): Promise<Comparison[]> {
  const results: Comparison[] = [];
  const pixels = golden.array('in.pixels');
  for (const [key, params] of Object.entries(golden.params.outputs)) {
    const [, name, part] = /^out\.(.*?)_(pixels|\d+_noise_mask|conditioning_\w+)$/.exec(key) ?? [];
    const mask = golden.array(`in.${name}`);
    if (part.startsWith('conditioning')) {
      // Without a factor of its own the recorder sees the pictures before they are cut.
      const { vae, seen } = recorder(1);
      const inputs = { positive: [[zeros([1, 1, 1]), {}]], negative: [], vae, pixels, mask };
      const [, , latent] = await runNode(inpaintModelConditioning, { ...inputs, noise_mask: true });
      const got: Record<string, NDArray | undefined> = {
        conditioning_concat_mask: (latent as Latent).noise_mask,
        conditioning_noise_mask: (latent as Latent).noise_mask,
        conditioning_masked_pixels: seen[0],
        conditioning_orig_pixels: seen[1],
      };
      results.push(check(golden, key, got[part]));
      continue;
    }
    const { vae, seen } = recorder(8);
    const inputs = { pixels, vae, mask, grow_mask_by: params['grow_mask_by'] ?? 6 };
    const [latent] = await runNode(vaeEncodeForInpaint, inputs);
    results.push(check(golden, key, part === 'pixels' ? seen[0] : (latent as Latent).noise_mask));
  }
  return results;
}

/** Pictures of a latent while it is being sampled. */
import { sliceAxis } from '../array/batch.ts';
import type { NDArray } from '../array/nd.ts';
import type { LatentFormat } from '../sampling/latent/formats.ts';
import { type LatentPreview, latentPreview } from '../sampling/latent/preview.ts';
import { openSource } from '../weights/open.ts';
import { taesdVae } from './autoencoders.ts';
import type { NetworkRun } from './network.ts';
import type { EngineOptions, Services } from './services.ts';
import type { Vae } from './vae.ts';

/** A picture of the first item of a latent in network units; undefined where there is no way to one. */
export type Previewer = (latent: NDArray) => Promise<LatentPreview | undefined>;

export interface PreviewRun extends NetworkRun {
  readonly folders: Pick<Services['folders'], 'modelFiles' | 'modelFile'>;
  readonly log?: Services['log'];
}

/**
 * The previewer of a method; undefined when none is wanted. `taesd` decodes with the format's tiny
 * decoder of `models/vae_approx`; without one, or where it does not work, the log is told once and
 * `latent2rgb` (which is also what `auto` means) goes on: a preview never fails a run.
 */
export function createPreviewer(
  method: EngineOptions['previewMethod'],
  format: LatentFormat,
  run: PreviewRun,
): Previewer | undefined {
  if (method === 'none') return undefined;
  const rough: Previewer = async (latent) => latentPreview(format, latent);
  if (method !== 'taesd' || format.taesd === undefined) return rough;
  let current: Previewer = async (latent) => {
    const vae = await openDecoder(format.taesd!, run);
    current = (next) => taesdPreview(vae, next, run);
    return current(latent);
  };
  return async (latent) => {
    try {
      return await current(latent);
    } catch (error) {
      if (run.signal?.aborted) throw error;
      run.log?.('WARNING', `no TAESD previews: ${(error as Error).message}`);
      current = rough;
      return rough(latent);
    }
  };
}

/** The first item of a latent [b, c, h, w] in network units through a TAESD whose scale is 1. */
export async function taesdPreview(
  vae: Vae,
  latent: NDArray,
  run: NetworkRun,
): Promise<LatentPreview> {
  const { data, shape } = await vae.kind.decode(vae, sliceAxis(latent, 0, 0, 1), run);
  const [height, width] = shape.slice(-2);
  const rgb = new Uint8Array(height * width * 3);
  for (let i = 0; i < rgb.length; i++) {
    const unit = (data[(i % 3) * height * width + Math.floor(i / 3)] + 1) / 2;
    rgb[i] = Math.trunc(Math.fround(Math.min(1, Math.max(0, unit))) * 255);
  }
  return { width, height, rgb };
}

/** The decoder of that name, in the network's own units. */
async function openDecoder(name: string, { folders }: PreviewRun): Promise<Vae> {
  const file = folders
    .modelFiles('vae_approx')
    .find((candidate) => candidate.startsWith(name) && /\.(safetensors|sft)$/i.test(candidate));
  if (file === undefined) throw new Error(`models/vae_approx has no ${name}.safetensors`);
  const decoder = await openSource(folders.modelFile('vae_approx', file));
  return taesdVae({ decoder }, { scale: 1, shift: 0 });
}

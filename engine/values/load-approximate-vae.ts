/** The autoencoders VAELoader offers beside files: TAESD pairs of `vae_approx`, and pixel space. */
import { latentFormat } from '../sampling/latent/formats.ts';
import type { Folders } from '../store/folders.ts';
import { openSource } from '../weights/open.ts';
import { PIXEL_SPACE, taesdFormats, taesdNames } from './approximate-vae-names.ts';
import { pixelSpaceVae, taesdVae } from './autoencoders.ts';
import type { Vae } from './vae.ts';

/** The autoencoder of that name; undefined when it is none of theirs or a half is missing. */
export async function loadApproximateVae(name: string, folders: Folders): Promise<Vae | undefined> {
  if (name === PIXEL_SPACE) return pixelSpaceVae;
  const files = folders.modelFiles('vae_approx');
  if (!taesdNames(files).includes(name)) return undefined;
  const open = (half: string) => {
    const file = files.find((candidate) => candidate.startsWith(`${name}_${half}.`))!;
    return openSource(folders.modelFile('vae_approx', file));
  };
  const sources = { encoder: await open('encoder'), decoder: await open('decoder') };
  return taesdVae(sources, latentFormat(taesdFormats[name]));
}

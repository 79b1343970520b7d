/** The autoencoders VAELoader offers beside files: TAESD pairs of `vae_approx`, and pixel space. */
import { latentFormat } from '../sampling/latent/formats.ts';
import type { Folders } from '../store/folders.ts';
import { pixelSpaceVae, taesdVae } from './autoencoders.ts';
import { openSource } from './load-checkpoint.ts';
import type { Vae } from './vae.ts';

export const pixelSpace = { name: 'pixel_space', vae: pixelSpaceVae } as const;

/** The latent formats of the published TAESD pairs, by the names VAELoader gives them. */
const taesdFormats: Readonly<Record<string, string>> = {
  taesd: 'SD15',
  taesdxl: 'SDXL',
  taesd3: 'SD3',
  taef1: 'Flux',
};

/** The TAESD models of which both halves are among the files. */
export function taesdNames(files: readonly string[]): string[] {
  const has = (half: string) => files.some((file) => file.startsWith(`${half}.`));
  return Object.keys(taesdFormats).filter(
    (name) => has(`${name}_encoder`) && has(`${name}_decoder`),
  );
}

/** The TAESD of that name; undefined when the name is none of theirs or a half is missing. */
export async function loadTaesd(name: string, folders: Folders): Promise<Vae | undefined> {
  const files = folders.modelFiles('vae_approx');
  if (!taesdNames(files).includes(name)) return undefined;
  const open = (half: string) => {
    const file = files.find((candidate) => candidate.startsWith(`${name}_${half}.`))!;
    return openSource(folders.modelFile('vae_approx', file));
  };
  const sources = { encoder: await open('encoder'), decoder: await open('decoder') };
  return taesdVae(sources, latentFormat(taesdFormats[name]));
}

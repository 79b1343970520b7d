/** What VAELoader calls the autoencoders it offers beside files; listing them loads none. */

export const PIXEL_SPACE = 'pixel_space';

/** The latent formats of the published TAESD pairs, by the names VAELoader gives them. */
export const taesdFormats: Readonly<Record<string, string>> = {
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

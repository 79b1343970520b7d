/** What VAELoader calls the autoencoders it offers beside files; listing them loads none. */

export const PIXEL_SPACE = 'pixel_space';

const TAESD = ['taesd', 'taesdxl', 'taesd3', 'taef1'];

/** The TAESD models of which both halves are among the files. */
export function taesdNames(files: readonly string[]): string[] {
  const has = (half: string) => files.some((file) => file.startsWith(`${half}.`));
  return TAESD.filter((name) => has(`${name}_encoder`) && has(`${name}_decoder`));
}

/** A look that costs nothing, before any driver is asked. */
import { readdirSync } from 'node:fs';

/**
 * Whether there may be a graphics adapter that is none of software; told from what the system has in
 * its folders. False only where there surely is none.
 */
export function mayHaveGpu(): boolean {
  if (process.platform !== 'linux') return true;
  const has = (folder: string, name: RegExp): boolean => {
    try {
      return readdirSync(folder).some((file) => name.test(file));
    } catch {
      return false;
    }
  };
  return has('/dev/dri', /^renderD/) || has('/dev', /^(nvidia\d+|dxg|mali\d*|kgsl.*)$/);
}

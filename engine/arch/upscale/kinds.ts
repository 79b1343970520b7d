/** The architectures of upscalers; a new one is its own file and a row here. */
import type { Weights } from '../../tensor/cursor.ts';
import { compact } from './compact.ts';
import { dat } from './dat.ts';
import { drct } from './drct.ts';
import { esrgan } from './esrgan.ts';
import { hat } from './hat.ts';
import type { Detected, ReadNumbers, UpscaleKind } from './kind.ts';
import { plksr } from './plksr.ts';
import { span } from './span.ts';
import { swinIr } from './swinir.ts';

/** In detection order: a later architecture may have the keys of an earlier one too. */
export const upscaleKinds = [
  compact,
  hat,
  swinIr,
  dat,
  span,
  drct,
  esrgan,
  plksr,
] as readonly UpscaleKind[];

/** The upscaler under a cursor; undefined when it is of no known architecture. */
export async function detectUpscaler(
  w: Weights,
  read: ReadNumbers,
): Promise<(NonNullable<Detected<unknown>> & { readonly kind: UpscaleKind }) | undefined> {
  for (const kind of upscaleKinds) {
    const detected = await kind.detect(w, read);
    if (detected) return { ...detected, kind };
  }
  return undefined;
}

/** The architectures of upscalers; a new one is its own file and a row here. */
import type { Weights } from '../../tensor/cursor.ts';
import { atd } from './atd.ts';
import { compact } from './compact.ts';
import { dat } from './dat.ts';
import { drct } from './drct.ts';
import { esrgan } from './esrgan.ts';
import { fdat } from './fdat.ts';
import { hat } from './hat.ts';
import type { Detected, ReadNumbers, UpscaleKind } from './kind.ts';
import { mosr } from './mosr.ts';
import { omniSr } from './omnisr.ts';
import { plksr } from './plksr.ts';
import { rcan } from './rcan.ts';
import { realCugan } from './realcugan.ts';
import { rgt } from './rgt.ts';
import { safmn } from './safmn.ts';
import { scunet } from './scunet.ts';
import { span } from './span.ts';
import { srformer } from './srformer.ts';
import { swin2Sr } from './swin2sr.ts';
import { swinIr } from './swinir.ts';

/** In detection order: a later architecture may have the keys of an earlier one too. */
export const upscaleKinds = [
  compact,
  hat,
  swin2Sr,
  swinIr,
  srformer,
  omniSr,
  scunet,
  rgt,
  dat,
  span,
  realCugan,
  safmn,
  atd,
  drct,
  esrgan,
  plksr,
  mosr,
  rcan,
  fdat,
] as readonly UpscaleKind[];

/** The upscaler under a cursor; undefined when it is of none of these architectures. */
export async function detectUpscaler(
  w: Weights,
  read: ReadNumbers,
  kinds: readonly UpscaleKind[] = upscaleKinds,
): Promise<(NonNullable<Detected<unknown>> & { readonly kind: UpscaleKind }) | undefined> {
  for (const kind of kinds) {
    const detected = await kind.detect(w, read);
    if (detected) return { ...detected, kind };
  }
  return undefined;
}

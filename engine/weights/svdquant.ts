/** Files of SVDQuant (nunchaku), whose codes lie as one kind of graphics card multiplies them. */
import { NoodleError } from '../errors.ts';
import type { WeightSource } from './source.ts';

/** The source, if it is none of those. Throws UNSUPPORTED. */
export function refuseSvdQuant<S extends WeightSource>(source: S): S {
  for (const key of source.tensors.keys()) {
    if (!key.endsWith('.qweight') || !source.tensors.has(key.replace(/qweight$/, 'wscales')))
      continue;
    const what = `${source.label}: weights of SVDQuant (nunchaku: '${key}'); the same model in fp8, NF4, GGUF or 16 bits can be read`;
    throw new NoodleError('UNSUPPORTED', { what });
  }
  return source;
}

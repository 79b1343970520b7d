/** Golden area `dit-more`: transformers that the shared golden data has no cases of, from small random models. */
import { transformerArea } from '../dit/run.ts';

export const area = transformerArea('dit-more');

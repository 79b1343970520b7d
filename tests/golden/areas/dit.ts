/** Golden area `dit`: diffusion transformers. */
import { transformerArea } from '../dit/run.ts';

export const area = transformerArea('dit');

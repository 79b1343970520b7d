/** Golden area `dit-2026`: diffusion transformers of 2026. */
import { transformerArea } from '../dit/run.ts';

export const area = transformerArea('dit-2026');

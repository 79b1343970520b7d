/** CONDITIONING: ComfyUI's list of (text embedding, options). The types live with the sampler. */
export type { Conditioning, ConditioningEntry } from '../sampling/conditioning.ts';

/** What node packs do to models; `noodle/node` loads it when a node asks (`models()`). */
export { coupleAttention } from './attention-couple.ts';
export { openLora, withLora } from './lora.ts';
export type { Coupled } from './attention-couple.ts';
export type { LoraFile, LoraStrengths } from './lora.ts';

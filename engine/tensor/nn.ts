/** Functions of tensors, under torch's names; each makes one node or a few. Layers with weights: layers.ts. */
export * from './ops/activations.ts';
export * from './ops/attention.ts';
export * from './ops/elementwise.ts';
export * from './ops/leaves.ts';
export * from './ops/movement.ts';
export * from './ops/norms.ts';
export * from './ops/places.ts';
export * from './ops/products.ts';
export * from './ops/reductions.ts';
export * from './ops/rotary.ts';
export * from './ops/windows.ts';
export { rearrange } from './rearrange.ts';

/**
 * How the bytes of a weight must lie for a model: as they are stored; as f32 or f16 numbers; or as f32
 * in the blocks of channels that ONNX Runtime's NCHWc convolutions read, [o/B, i/B, ...kernel, B(i), B(o)].
 */
import { type Dtype, dtypes } from './dtypes.ts';

export type Layout =
  | { readonly kind: 'stored' }
  | { readonly kind: 'float32' }
  | { readonly kind: 'float16' }
  | { readonly kind: 'blocked'; readonly block: number };

/** The element type of a weight of type `stored` in a layout. */
export function layoutDtype({ kind }: Layout, stored: Dtype): Dtype {
  if (kind === 'stored') return stored;
  return kind === 'float16' ? 'f16' : 'f32';
}

/** Bytes of a dense weight of type `stored` in a layout. */
export function layoutSize(layout: Layout, stored: Dtype, shape: readonly number[]): number {
  return shape.reduce((size, dim) => size * dim, dtypes[layoutDtype(layout, stored)].bytes);
}

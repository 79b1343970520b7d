/**
 * How the bytes of a weight must lie for a model: as they are stored; as f32 or f16 numbers; in the
 * blocks of channels that ONNX Runtime's NCHWc convolutions read, [o/B, i/B, ...kernel, B(i), B(o)], as f32
 * or (`narrow`: numbers of 16 bits only) as they are stored, a matrix as a filter of one cell; 3 x 3 filters
 * in the planes of Winograd's convolution, f32 [planes, o, i]; filters with their channels last, f32 or f16
 * [o, ...kernel, i]; matrices transposed, f32 or f16 [i, o]; in whole numbers of so many bits, i8
 * [...kernel * i, o], with what a step of each output is worth, f32 [o], close behind them; or matrices in
 * blocks of 8-bit numbers, u8 [o, i/32, 32], and apart from them what a step of each block is worth, f16
 * [o, i/32] (int8.ts); or numbers of ggml's blocks as whole numbers, i8, i4 or u4 [o, i], or as products read
 * them: two a byte with 8 for 0 (`about8`), u8 [o, i/group, group/2], or one with 128 for 0 (`about128`), u8
 * [o, i/group, group]; with what a step of each group is worth and what is taken off there, f32 or (`halves`)
 * f16 [o, i/group], close behind them (blocks.ts).
 */
import { sizeOf } from '../array/nd.ts';
import type { BlockType } from './blocks.ts';
import { type Dtype, dtypes } from './dtypes.ts';
import { int8Block } from './int8.ts';
import { type WinogradTile, winogradForms } from './winograd.ts';

export type Layout =
  | { readonly kind: 'stored' }
  | { readonly kind: 'float32' }
  | { readonly kind: 'float16' }
  | { readonly kind: 'blocked'; readonly block: number; readonly narrow?: boolean }
  | { readonly kind: 'winograd'; readonly tile: WinogradTile }
  | { readonly kind: 'channelsLast' | 'transposed'; readonly type: 'f32' | 'f16' }
  | { readonly kind: 'int8' | 'int8Steps'; readonly bits: number }
  | { readonly kind: 'int8Blocks' | 'int8BlockSteps' }
  | CodesLayout;

/** A weight in ggml's blocks, or in 8-bit whole numbers with scales, taken apart. */
export interface CodesLayout {
  readonly kind: 'codes' | 'codeSteps' | 'codeOffs';
  readonly group: number;
  /**
   * In what the whole numbers fit; as products read them, without sign: `about8`, four bits that are 8 more, or
   * `about128`, eight that are 128 more.
   */
  readonly codes: BlockType['codes'] | ProductCodes;
  /** Steps, and what is taken off, in halves. */
  readonly halves?: boolean;
}

type ProductCodes = 'about8' | 'about128';

/** How many whole numbers lie in a byte where products read them. */
const inByte: Readonly<Record<ProductCodes, number>> = { about8: 2, about128: 1 };
const isForProducts = (codes: CodesLayout['codes']): codes is ProductCodes =>
  Object.hasOwn(inByte, codes);

/** The element type of a weight of type `stored` in a layout. */
export function layoutDtype(layout: Layout, stored: Dtype): Dtype {
  const { kind } = layout;
  if (kind === 'stored' || (kind === 'blocked' && layout.narrow)) return stored;
  if (kind === 'channelsLast' || kind === 'transposed') return layout.type;
  if (kind === 'int8') return 'i8';
  if (kind === 'codes') return isForProducts(layout.codes) ? 'u8' : layout.codes;
  if (kind === 'codeSteps' || kind === 'codeOffs') return layout.halves === true ? 'f16' : 'f32';
  if (kind === 'int8Blocks') return 'u8';
  return kind === 'float16' || kind === 'int8BlockSteps' ? 'f16' : 'f32';
}

/** The shape in which a model sees a weight of shape `stored`. */
export function layoutShape(layout: Layout, stored: readonly number[]): readonly number[] {
  switch (layout.kind) {
    case 'winograd':
      return [winogradForms[layout.tile].planes, stored[0], stored[1]];
    case 'channelsLast':
      return [stored[0], ...stored.slice(2), stored[1]];
    case 'transposed':
      return [stored[1], stored[0]];
    case 'int8':
      return [sizeOf(stored.slice(1)), stored[0]];
    case 'int8Steps':
      return [stored[0]];
    case 'blocked':
      return stored.length === 2 ? [...stored, 1, 1] : stored;
    case 'codes': {
      const width = sizeOf(stored.slice(1));
      const { codes, group } = layout;
      return isForProducts(codes)
        ? [stored[0], width / group, group / inByte[codes]]
        : [stored[0], width];
    }
    case 'codeSteps':
    case 'codeOffs':
      return [stored[0], sizeOf(stored.slice(1)) / layout.group];
    case 'int8Blocks':
      return [stored[0], stored[1] / int8Block, int8Block];
    case 'int8BlockSteps':
      return [stored[0], stored[1] / int8Block];
    default:
      return stored;
  }
}

/** Where the forms lie that are prepared together with another one: in its file, so many bytes behind its beginning. */
const within: {
  readonly [K in Layout['kind']]?: {
    readonly kind: Layout['kind'];
    readonly offset: (layout: Layout, shape: readonly number[]) => number;
  };
} = {
  int8Steps: { kind: 'int8', offset: (_, shape) => int8StepsOffset(shape) },
  codeSteps: { kind: 'codes', offset: (layout, shape) => codePlaces(layout, shape).steps },
  codeOffs: { kind: 'codes', offset: (layout, shape) => codePlaces(layout, shape).offs },
};

/** The layout that this one is prepared as a part of, itself for most. */
export function wholeLayout(layout: Layout): Layout {
  const whole = within[layout.kind];
  // parts have the fields of what they are parts of
  return whole ? ({ ...layout, kind: whole.kind } as Layout) : layout;
}

/** Where it begins in that, in bytes. */
export const partOffset = (layout: Layout, shape: readonly number[]): number =>
  within[layout.kind]?.offset(layout, shape) ?? 0;

/** Bytes from the beginning of a weight in whole numbers to the steps behind it. */
export const int8StepsOffset = (shape: readonly number[]): number => aligned(sizeOf(shape));

const aligned = (size: number): number => Math.ceil(size / 64) * 64;

/** Bytes of a number. */
export const codeBytes = (codes: CodesLayout['codes']): number =>
  isForProducts(codes) ? 1 / inByte[codes] : dtypes[codes].bytes;

/** Where the parts of a weight in codes begin, and where it ends, in bytes. */
export function codePlaces(
  layout: Layout,
  shape: readonly number[],
): { readonly steps: number; readonly offs: number; readonly end: number } {
  const { codes, group, halves } = layout as CodesLayout;
  const numbers = sizeOf(shape);
  const steps = aligned(numbers * codeBytes(codes));
  const stepBytes = aligned((numbers / group) * (halves === true ? 2 : 4));
  return { steps, offs: steps + stepBytes, end: steps + 2 * stepBytes };
}

/** Bytes of a dense weight of type `stored` in a layout; of one in whole numbers with its steps. */
export function layoutSize(layout: Layout, stored: Dtype, shape: readonly number[]): number {
  if (layout.kind === 'int8') return int8StepsOffset(shape) + shape[0] * 4;
  if (layout.kind === 'codes') return codePlaces(layout, shape).end;
  const { bytes } = dtypes[layoutDtype(layout, stored)];
  return layoutShape(layout, shape).reduce((size, dim) => size * dim, bytes);
}

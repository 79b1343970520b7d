/**
 * Rewriting weights in the layout a model wants them in: as f32 or f16, convolution filters in blocks
 * of channels or in Winograd's planes, weights in whole numbers.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { NoodleError } from '../errors.ts';
import { type StorageDtype, decode, storageDtypes } from './dtypes.ts';
import { floatToF16 } from './float.ts';
import { int8Columns, int8Steps } from './int8.ts';
import type { Layout } from './layout.ts';
import { type WeightBytes, memoryOf } from './source.ts';
import { winogradFilters, winogradPlanes } from './winograd.ts';

/** One tensor to rewrite: from where, in which layout, to which position of the target file. */
export interface PrepareTask {
  readonly dtype: StorageDtype;
  /** Shape as stored; for `blocked` [o, i, ...kernel] with o and i whole multiples of the block. */
  readonly shape: readonly number[];
  readonly bytes: WeightBytes;
  readonly layout: Layout;
  readonly target: number;
}

/** A run of elements of a task. */
export interface Piece {
  readonly start: number;
  readonly count: number;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((n, dim) => n * dim, 1);

/** Small enough that a piece and its rewritten forms stay in a core's own cache. */
const pieceElements = 1 << 18;

/**
 * Cuts a task into pieces of about a quarter of a million elements, blocked filters between blocks; what is
 * transposed stays whole.
 */
export function cutTask({ shape, layout }: Pick<PrepareTask, 'shape' | 'layout'>): Piece[] {
  const size = sizeOf(shape);
  if (layout.kind === 'int8' || layout.kind === 'int8Steps') return [{ start: 0, count: size }];
  const rows = layout.kind === 'blocked' ? layout.block : 1;
  const unit =
    layout.kind === 'blocked' || layout.kind === 'winograd' ? (size / shape[0]) * rows : 1;
  const step = Math.max(1, Math.floor(pieceElements / unit)) * unit;
  const pieces: Piece[] = [];
  for (let start = 0; start < size; start += step) {
    pieces.push({ start, count: Math.min(step, size - start) });
  }
  return pieces;
}

/** Reads, rewrites and writes tasks one after the other into the file `target`, which exists. */
export function prepareFile(target: string, tasks: readonly PrepareTask[]): void {
  const sources = new Map<string, number>();
  const open = (path: string): number => {
    const file = sources.get(path) ?? openSync(path, 'r');
    sources.set(path, file);
    return file;
  };
  const file = openSync(target, 'r+');
  try {
    const work = pieceWorker(file, open);
    for (const task of tasks) for (const piece of cutTask(task)) work(task, piece);
  } finally {
    closeSync(file);
    for (const source of sources.values()) closeSync(source);
  }
}

/** Does pieces with buffers that it keeps, for fresh memory costs more than the work. */
function pieceWorker(
  target: number,
  open: (path: string) => number,
): (task: PrepareTask, piece: Piece) => void {
  const stored = growing((size) => new Uint8Array(size));
  const widened = growing((size) => new Float32Array(size));
  const reordered = growing((size) => new Float32Array(size));
  return (task, { start, count }) => {
    const { layout, dtype, shape } = task;
    const { bytes: width } = storageDtypes[dtype];
    const bytes = readPiece(task, start * width, stored(count * width), open);
    if (layout.kind === 'stored') {
      writeFully(target, bytes, task.target + start * width);
      return;
    }
    const values = decode(bytes, dtype, widened(count));
    if (layout.kind === 'float16') {
      writeFully(target, bytesOf(floatToF16(values)), task.target + start * 2);
      return;
    }
    if (layout.kind === 'winograd') {
      const planes = winogradFilters(values, reordered((count / 9) * winogradPlanes));
      writePlanes(target, planes, {
        offset: task.target,
        start: start / 9,
        all: sizeOf(shape) / 9,
      });
      return;
    }
    if (layout.kind === 'int8' || layout.kind === 'int8Steps') {
      const laid =
        layout.kind === 'int8'
          ? int8Columns(values, shape, layout.bits)
          : int8Steps(values, shape[0], layout.bits);
      writeFully(target, bytesOf(laid), task.target);
      return;
    }
    const laid =
      layout.kind === 'blocked' ? blocked(values, shape, layout.block, reordered(count)) : values;
    writeFully(target, bytesOf(laid), task.target + start * 4);
  };
}

/**
 * Filters [o, i, ...kernel] as [o/B, i/B, ...kernel, B(i), B(o)]; o and i are multiples of B. Any
 * number of whole rows of blocks may be given.
 */
export function blocked(
  values: Float32Array,
  [, channels, ...kernel]: readonly number[],
  block: number,
  out: Float32Array = new Float32Array(values.length),
): Float32Array {
  const taps = kernel.reduce((n, dim) => n * dim, 1);
  const row = channels * taps;
  let to = 0;
  for (let outer = 0; outer < values.length; outer += row * block) {
    for (let channel = 0; channel < channels; channel += block) {
      for (let tap = 0; tap < taps; tap++) {
        for (let i = 0; i < block; i++) {
          let from = outer + (channel + i) * taps + tap;
          for (let o = 0; o < block; o++, from += row) out[to++] = values[from];
        }
      }
    }
  }
  return out;
}

/** One buffer that is made anew only when it is too small. */
function growing<T extends Uint8Array | Float32Array>(
  make: (size: number) => T,
): (size: number) => T {
  let buffer = make(0);
  return (size) => {
    if (buffer.length < size) buffer = make(size);
    return buffer.subarray(0, size) as T;
  };
}

function readPiece(
  task: PrepareTask,
  from: number,
  buffer: Uint8Array,
  open: (path: string) => number,
): Uint8Array {
  const { bytes } = task;
  const length = buffer.byteLength;
  if (bytes.kind !== 'file') return memoryOf(task).subarray(from, from + length);
  const file = open(bytes.path);
  for (let done = 0; done < length;) {
    const read = readSync(file, buffer, done, length - done, bytes.offset + from + done);
    if (read === 0) throw new NoodleError('WEIGHTS_CHANGED', { file: bytes.path });
    done += read;
  }
  return buffer;
}

/** Filters `start` and following of each plane, at their places in planes of `all` filters. */
function writePlanes(
  file: number,
  planes: Float32Array,
  { offset, start, all }: { offset: number; start: number; all: number },
): void {
  const count = planes.length / winogradPlanes;
  for (let plane = 0; plane < winogradPlanes; plane++) {
    const part = planes.subarray(plane * count, (plane + 1) * count);
    writeFully(file, bytesOf(part), offset + (plane * all + start) * 4);
  }
}

function writeFully(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.byteLength;) {
    done += writeSync(file, bytes, done, bytes.byteLength - done, position + done);
  }
}

const bytesOf = (array: Float32Array | Uint16Array | Int8Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

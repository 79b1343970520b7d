/**
 * Rewriting weights in the layout a model wants them in: as f32 or f16, convolution filters in blocks
 * of channels, with their channels last or in Winograd's planes, matrices transposed, weights in whole numbers.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { sizeOf } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import { type Areas, aligned, bytesAt, layAreas, widen } from './areas.ts';
import { channelsLast } from './channels-last.ts';
import { laidCodes } from './codes.ts';
import { type StorageDtype, storageDtypes } from './dtypes.ts';
import { floatToF16 } from './float.ts';
import {
  int8Block,
  int8BlockSteps,
  int8Blocks,
  int8Columns,
  int8Places,
  int8Step,
  int8Steps,
} from './int8.ts';
import { kernels } from './kernels.ts';
import {
  type CodesLayout,
  type Layout,
  codeBytes,
  codePlaces,
  int8StepsOffset,
  layoutShape,
} from './layout.ts';
import { readFloatsSync } from './read.ts';
import { type Scaler, scaler } from './scales.ts';
import { type Scales, type WeightBytes, memoryOf } from './source.ts';
import { layTransposed, square } from './transposed.ts';
import { type WinogradTile, winogradForms } from './winograd.ts';
import { writeFully } from './write-bytes.ts';

/** One tensor to rewrite: from where, in which layout, to which position of the target file. */
export interface PrepareTask {
  readonly dtype: StorageDtype;
  /** Shape as stored; for `blocked` [o, i, ...kernel] with o and i whole multiples of the block. */
  readonly shape: readonly number[];
  readonly bytes: WeightBytes;
  readonly scales?: Scales | undefined;
  readonly layout: Layout;
  readonly target: number;
}

/** A run of elements of a task. */
export interface Piece {
  readonly start: number;
  readonly count: number;
}

/** Small enough that a piece and its rewritten forms stay in a core's own cache. */
const pieceElements = 1 << 18;

/**
 * Cuts a task into pieces of about a quarter of a million elements, blocked filters between blocks, and blocks
 * that numbers are stored in nowhere; what comes in whole numbers of its outputs stays whole.
 */
export function cutTask({
  dtype,
  shape,
  layout,
  scales,
}: Pick<PrepareTask, 'dtype' | 'shape' | 'layout' | 'scales'>): Piece[] {
  const size = sizeOf(shape);
  if (layout.kind === 'int8') return [{ start: 0, count: size }];
  const filters = wholeFilters.has(layout.kind) ? (size / shape[0]) * rowsTogether(layout) : 1;
  const block = Math.max(storageDtypes[dtype].block, scales?.rotated ?? 1);
  const unit = filters % block === 0 ? filters : filters * block;
  const step = Math.max(1, Math.floor(pieceElements / unit)) * unit;
  const pieces: Piece[] = [];
  for (let start = 0; start < size; start += step) {
    pieces.push({ start, count: Math.min(step, size - start) });
  }
  return pieces;
}

/** Layouts that are made of whole filters. */
const wholeFilters: ReadonlySet<Layout['kind']> = new Set([
  'blocked',
  'winograd',
  'channelsLast',
  'transposed',
  'int8Blocks',
  'int8BlockSteps',
]);

/** Filters that may not come into different pieces (blocks), or had better not (squares of a matrix). */
function rowsTogether(layout: Layout): number {
  if (layout.kind === 'blocked') return layout.block;
  return layout.kind === 'transposed' ? square : 1;
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
    for (const task of tasks) {
      const { scales, shape, layout } = task;
      const scaled =
        layout.kind === 'codes' ? layoutShape({ ...layout, kind: 'codeSteps' }, shape) : shape;
      const rewrite = { task, open, scale: scales && scaler(scales, scaled, readFloatsSync) };
      if (layout.kind === 'transposed') writeTransposed(file, rewrite, layout.type);
      else for (const piece of cutTask(task)) doPiece(file, rewrite, piece);
    }
  } finally {
    closeSync(file);
    for (const source of sources.values()) closeSync(source);
  }
}

/** A task with what reading its pieces takes. */
interface Rewrite {
  readonly task: PrepareTask;
  readonly open: (path: string) => number;
  readonly scale: Scaler | undefined;
}

/** Reads, rewrites and writes one piece. */
function doPiece(target: number, { task, open, scale }: Rewrite, piece: Piece): void {
  const { layout, dtype } = task;
  const { start, count } = piece;
  const width = storageDtypes[dtype].bytes;
  const stays = staysHalf(task);
  const widenedBytes = stays ? 0 : count * 4;
  const areas = layAreas([count * width, widenedBytes, laidBytes(task, count), placesBytes(task)]);
  const bytes = readPiece(task, start * width, bytesAt(areas, areas.stored, count * width), open);
  if (layout.kind === 'stored') {
    writeFully(target, bytes, task.target + start * width);
    return;
  }
  if (stays) {
    const codes = new Uint16Array(areas.memory, areas.stored, count);
    writeFully(target, bytesOf(channelsLast(codes, task.shape)), task.target + start * width);
    return;
  }
  if (layout.kind === 'blocked' && layout.narrow) {
    // codes are moved as the upper halves of 32-bit numbers, and packed over where they were read to
    const { widenBfloat, upperHalves } = kernels();
    widenBfloat(areas.stored, areas.widened, count);
    layBlocks(areas, task.shape, layout.block, count);
    upperHalves(areas.laid, areas.stored, count);
    writeFully(target, bytesAt(areas, areas.stored, count * 2), task.target + start * 2);
    return;
  }
  if (layout.kind === 'codes') {
    writeCodes(target, task, piece, { bytes, scale });
    return;
  }
  widen(bytes, dtype, areas, count);
  const values = new Float32Array(areas.memory, areas.widened, count);
  scale?.(values, start);
  switch (layout.kind) {
    case 'float16':
      writeFully(target, bytesOf(floatToF16(values)), task.target + start * 2);
      return;
    case 'float32':
      writeFully(target, bytesAt(areas, areas.widened, count * 4), task.target + start * 4);
      return;
    case 'blocked':
      layBlocks(areas, task.shape, layout.block, count);
      writeFully(target, bytesAt(areas, areas.laid, count * 4), task.target + start * 4);
      return;
    case 'winograd':
      writePlanes(target, task, piece, { ...areas, tile: layout.tile });
      return;
    case 'channelsLast': {
      const laid = channelsLast(values, task.shape);
      const half = layout.type === 'f16';
      const bytes = bytesOf(half ? floatToF16(laid) : laid);
      writeFully(target, bytes, task.target + start * (half ? 2 : 4));
      return;
    }
    case 'int8Blocks':
      writeFully(target, int8Blocks(values, blockSteps(areas, count)), task.target + start);
      return;
    case 'int8BlockSteps':
      writeFully(target, bytesOf(blockSteps(areas, count)), task.target + (start / int8Block) * 2);
      return;
    case 'int8':
      writeWholeNumbers(target, task, areas, layout.bits);
  }
}

/** Bytes that the piece's last form takes while it is made. */
function laidBytes({ layout }: PrepareTask, count: number): number {
  if (layout.kind === 'winograd') return planeBytes(count / 9) * winogradForms[layout.tile].planes;
  if (layout.kind === 'int8') return count;
  if (layout.kind === 'int8Blocks' || layout.kind === 'int8BlockSteps')
    return (count / int8Block) * 4;
  return layout.kind === 'blocked' ? count * 4 : 0;
}

function placesBytes({ layout, shape }: PrepareTask): number {
  if (layout.kind === 'int8') return (sizeOf(shape.slice(1)) + shape[0]) * 4;
  return layout.kind === 'blocked' ? layout.block * sizeOf(shape.slice(2)) * 4 : 0;
}

/**
 * From the beginning of one plane to the next: whole cache lines, and one more, so that the same
 * filter's planes do not compete for the same places of a cache.
 */
const planeBytes = (filters: number): number => aligned(filters * 4) + 64;

/**
 * Whole rows of filters [o, i, ...kernel] as [o/B, i/B, ...kernel, B(i), B(o)]; o and i are multiples
 * of B, and B of 4. B filters' numbers for B channels are transposed at once.
 */
function layBlocks(
  { memory, widened, laid, places }: Areas,
  [, channels, ...kernel]: readonly number[],
  block: number,
  count: number,
): void {
  const taps = sizeOf(kernel);
  const { transposeTo } = kernels();
  const columns = block * taps;
  const rowBytes = channels * taps * 4;
  const blockBytes = columns * block * 4;
  const order = Int32Array.from({ length: columns }, (_, column) => {
    const tap = column % taps;
    return (tap * block + (column - tap) / taps) * block * 4;
  });
  new Int32Array(memory, places, columns).set(order);
  let to = laid;
  for (let row = 0; row < count * 4; row += rowBytes * block) {
    for (let at = 0; at < rowBytes; at += columns * 4, to += blockBytes) {
      transposeTo(widened + row + at, to, places, rowBytes, block, columns);
    }
  }
}

/** Outputs that are transposed together: their lines stay in a core's own cache. */
const together = 32;

/** A whole weight in steps of its outputs, and these steps behind it. */
function writeWholeNumbers(
  file: number,
  { shape, target }: PrepareTask,
  areas: Areas,
  bits: number,
): void {
  const [outputs, channels] = shape;
  const count = sizeOf(shape);
  const width = count / outputs;
  const even = outputs % 4 === 0 && width % 4 === 0;
  const steps = even
    ? layWholeNumbers(areas, [outputs, width, channels], bits)
    : plainWholeNumbers(areas, shape, bits);
  writeFully(file, bytesAt(areas, areas.laid, count), target);
  writeFully(file, bytesOf(steps), target + int8StepsOffset(shape));
}

/** Codes, and behind those of the whole weight what their steps are worth and what is taken off. */
function writeCodes(
  file: number,
  { dtype, shape, layout, target }: PrepareTask,
  { start }: Piece,
  { bytes, scale }: { readonly bytes: Uint8Array; readonly scale: Scaler | undefined },
): void {
  const form = layout as CodesLayout;
  const places = codePlaces(layout, shape);
  const group = start / form.group;
  const { codes, ...each } = laidCodes(bytes, dtype, form, (steps) => scale?.(steps, group));
  writeFully(file, bytesOf(codes), target + start * codeBytes(form.codes));
  for (const part of ['steps', 'offs'] as const) {
    const laid = each[part];
    writeFully(file, bytesOf(laid), target + places[part] + group * laid.BYTES_PER_ELEMENT);
  }
}

function blockSteps({ memory, widened, laid }: Areas, count: number): Uint16Array {
  kernels().magnitudes(widened, laid, count / int8Block, int8Block);
  return int8BlockSteps(new Float32Array(memory, laid, count / int8Block));
}

/** To the place for them, with outputs and numbers of each that are multiples of 4; gives the steps. */
function layWholeNumbers(
  { memory, widened, laid, places }: Areas,
  [outputs, width, channels]: readonly number[],
  bits: number,
): Float32Array {
  const { magnitudes, transposeBytesTo } = kernels();
  const factors = places + width * 4;
  new Int32Array(memory, places, width).set(int8Places(width, channels, outputs));
  magnitudes(widened, factors, outputs, width);
  const factor = new Float32Array(memory, factors, outputs);
  const steps = factor.map((magnitude) => int8Step(magnitude, bits));
  factor.set(steps.map((step) => 1 / step));
  for (let first = 0; first < outputs; first += together) {
    const block = Math.min(together, outputs - first);
    const from = widened + first * width * 4;
    const [rowBytes, to] = [width * 4, laid + first];
    transposeBytesTo(from, to, places, factors + first * 4, rowBytes, block, width);
  }
  return steps;
}

/** The same of any shape. */
function plainWholeNumbers(
  { memory, widened, laid }: Areas,
  shape: readonly number[],
  bits: number,
): Float32Array {
  const values = new Float32Array(memory, widened, sizeOf(shape));
  const steps = int8Steps(values, shape[0], bits);
  new Int8Array(memory, laid, values.length).set(int8Columns(values, shape, steps));
  return steps;
}

/** Whether numbers are only moved: halves that stay halves. */
const staysHalf = ({ layout, dtype, scales }: PrepareTask): boolean =>
  'type' in layout && layout.type === 'f16' && dtype === 'F16' && !scales;

/** A matrix [o, i] as [i, o]; it lies in memory once, as it is written, and is read piece by piece. */
function writeTransposed(file: number, { task, open, scale }: Rewrite, type: 'f32' | 'f16'): void {
  const { shape, dtype } = task;
  const width = storageDtypes[dtype].bytes;
  const stays = staysHalf(task);
  const laid = new (type === 'f16' ? Uint16Array : Float32Array)(sizeOf(shape));
  for (const { start, count } of cutTask(task)) {
    const areas = layAreas([count * width, stays ? 0 : count * 4]);
    const bytes = readPiece(task, start * width, bytesAt(areas, areas.stored, count * width), open);
    if (!stays) widen(bytes, dtype, areas, count);
    const values = stays
      ? new Uint16Array(areas.memory, areas.stored, count)
      : new Float32Array(areas.memory, areas.widened, count);
    if (values instanceof Float32Array) scale?.(values, start);
    const part = values instanceof Float32Array && type === 'f16' ? floatToF16(values) : values;
    layTransposed(laid, part, shape, start / shape[1]);
  }
  writeFully(file, bytesOf(laid), task.target);
}

function readPiece(
  task: PrepareTask,
  from: number,
  buffer: Uint8Array,
  open: (path: string) => number,
): Uint8Array {
  const { bytes } = task;
  const length = buffer.byteLength;
  if (bytes.kind !== 'file') {
    buffer.set(memoryOf(task).subarray(from, from + length));
    return buffer;
  }
  const file = open(bytes.path);
  for (let done = 0; done < length;) {
    const read = readSync(file, buffer, done, length - done, bytes.offset + from + done);
    if (read === 0) throw new NoodleError('WEIGHTS_CHANGED', { file: bytes.path });
    done += read;
  }
  return buffer;
}

/** The kernel that makes the planes of filters, for each tile. */
const planeKernels = { 2: 'winograd2', 4: 'winograd4' } as const;

/** The piece's filters in planes, at their places in the planes of all filters. */
function writePlanes(
  file: number,
  task: PrepareTask,
  { start, count }: Piece,
  { tile, ...areas }: Areas & { readonly tile: WinogradTile },
): void {
  const filters = count / 9;
  const step = planeBytes(filters);
  kernels()[planeKernels[tile]](areas.widened, areas.laid, step, filters);
  const all = sizeOf(task.shape) / 9;
  for (let plane = 0; plane < winogradForms[tile].planes; plane++) {
    const part = bytesAt(areas, areas.laid + plane * step, filters * 4);
    writeFully(file, part, task.target + (plane * all + start / 9) * 4);
  }
}

const bytesOf = (array: Float32Array | Uint16Array | Int8Array | Uint8Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

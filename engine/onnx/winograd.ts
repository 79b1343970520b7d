/**
 * 3 x 3 convolutions by Winograd's method (engine/weights/winograd.ts), written as a graph of standard
 * operators: patches of the picture to planes, one matrix product for each plane, planes to tiles
 * of the result. Axes are moved only where whole rows of tiles stay together, or in a plain matrix
 * transpose, for everything else is slow in ONNX Runtime.
 */
import {
  type Dim,
  ceilDivDim,
  evalShape,
  mulDim,
  sameDim,
  sizeOfShape,
  symbolsOf,
} from '../tensor/shape.ts';
import { windowOps } from '../tensor/ops/windows.ts';
import { type Tensor, isOp } from '../tensor/tensor.ts';
import type { Program } from '../tensor/trace.ts';
import { type WinogradTile, winogradForms } from '../weights/winograd.ts';
import { type Builder, storedWeight } from './builder.ts';
import type { NodeOf } from './portable.ts';

/** The convolution; the rows of a batch are further columns of the products. */
export function winogradConv(
  b: Builder,
  { inputs: [x, weight], attrs: { pads }, shape }: NodeOf<'conv'>,
  [name, , bias]: readonly string[],
  tile: WinogradTile,
): string {
  const { patch, planes: count, inputTransform, outputTransform } = winogradForms[tile];
  const [batch, channels] = x.shape;
  const [, outputs, height, width] = shape as readonly [Dim, number, Dim, Dim];
  const [rows, columns] = [ceilDivDim(height, tile), ceilDivDim(width, tile)];
  const filters = b.weight(storedWeight(weight)!, { kind: 'winograd', tile });

  const reshape = (value: string, to: string): string => b.emit('Reshape', [value, to]);
  const transpose = (value: string, order: readonly number[]): string =>
    b.emit('Transpose', [value], { attributes: { perm: { ints: order } } });

  // every channel as a picture of its own: [b*c, 1, h, w] -> [b*c, 36, rows, columns]
  const [top, left, bottom, right] = pads;
  const more = tile - 1; // cells past the end, for the last tile
  const patches = b.emit(
    'Conv',
    [reshape(name, b.ints([-1, 1, 0, 0])), b.floats(inputTransform, [count, 1, patch, patch])],
    {
      attributes: {
        kernel_shape: { ints: [patch, patch] },
        strides: { ints: [tile, tile] },
        pads: { ints: [top, left, bottom + more, right + more] },
      },
    },
  );
  // [36, c, b*rows*columns]
  const separate = reshape(patches, b.sizes([batch, channels, count, -1]));
  const planes = reshape(transpose(separate, [2, 1, 0, 3]), b.ints([0, 0, -1]));
  const products = b.emit('MatMul', [filters, planes]); // [36, o, b*rows*columns]
  const tiles = b.emit('MatMul', [
    b.floats(outputTransform, [tile ** 2, count]),
    reshape(products, b.ints([count, -1])),
  ]);
  // [4, 4, o*b*rows*columns] -> [4, o, b, rows, columns*4] -> [b, o, rows*4, columns*4]
  const lines = reshape(
    transpose(reshape(tiles, b.ints([tile, tile, -1])), [0, 2, 1]),
    b.sizes([tile, outputs, batch, rows, -1]),
  );
  const whole = reshape(
    transpose(lines, [2, 1, 3, 0, 4]),
    b.sizes([0, 0, -1, mulDim(columns, tile)]),
  );
  const exact = [rows, columns].every((n, i) => sameDim(mulDim(n, tile), [height, width][i]));
  const y = exact
    ? whole
    : b.emit('Slice', [whole, b.ints([0, 0]), b.sizes([height, width]), b.ints([2, 3])]);
  return bias === undefined ? y : b.emit('Add', [y, reshape(bias, b.ints([-1, 1, 1]))]);
}

/** What is expected to be computed where nothing says how large pictures are: 64 x 64 cells. */
const nominalSize = 64;
/** The same of a batch: with and without the prompt. */
const nominalRows = 2;
/** Share of a plain convolution's time that must be saved. */
const leastGain = 0.2;
/** Floats that the planes of a layer may take in any case. */
const freely = 2 ** 26;

/** A change of how a convolution is computed. */
interface Step {
  readonly tensor: Tensor;
  /** Tiles before, where it is not a plain one, and after. */
  readonly from: WinogradTile | undefined;
  readonly to: WinogradTile;
  /** Bytes more than before. */
  readonly bytes: number;
  /** Time that is saved for each of them, in no unit. */
  readonly worth: number;
}

/**
 * The convolutions of a program that gain by Winograd's method, with their tiles, those first that save most
 * time for their bytes (a filter's saving grows with the picture it is moved over and with its channels), up to
 * `most` bytes beyond the plain filters, which take `bytesOf`; and those bytes.
 */
export function winogradLayers(
  { nodes }: Pick<Program, 'nodes'>,
  most: number,
  bytesOf: (weight: Tensor) => number = ({ shape }) => (sizeOfShape(shape) as number) * 4,
): { readonly layers: ReadonlyMap<Tensor, WinogradTile>; readonly bytes: number } {
  const convolutions = nodes.filter((tensor) => isOp(windowOps.conv, tensor));
  const shared = sharedOnes(nodes);
  const peak = Math.max(
    0,
    ...convolutions.map((tensor) => floatsAt(tensor).reduce((a, b) => a + b)),
  );
  const room = Math.max(1.25 * peak, freely);
  const steps = convolutions
    .filter((tensor) => isSuitable(tensor) && !shared.has(tensor.inputs[1]))
    .flatMap((tensor) => stepsOf(tensor, room, bytesOf))
    .sort((a, b) => b.worth - a.worth);
  const layers = new Map<Tensor, WinogradTile>();
  let bytes = 0;
  for (const step of steps) {
    if (bytes + step.bytes > most || layers.get(step.tensor) !== step.from) continue;
    layers.set(step.tensor, step.to);
    bytes += step.bytes;
  }
  return { layers, bytes };
}

/** From a plain convolution on, each step dearer than the one before. */
function stepsOf(
  tensor: NodeOf<'conv'>,
  room: number,
  bytesOf: (weight: Tensor) => number,
): Step[] {
  const filters = storedWeight(tensor.inputs[1])!;
  const [outputs, channels] = filters.shape as readonly number[];
  const plain = { bytes: bytesOf(filters), time: plainTime(tensor, bytesOf(filters)) };
  const forms = Object.values(winogradForms)
    // the planes, twice while they are moved
    .filter(({ planes, tile }) => 2 * (planes / tile ** 2) * Math.max(...floatsAt(tensor)) <= room)
    .map(({ tile, planes }) => ({
      tile,
      bytes: outputs * channels * planes * 4,
      time: winogradTime(tensor, tile),
    }))
    .filter(({ time }) => time <= (1 - leastGain) * plain.time);
  const steps: Step[] = [];
  let [at, from]: [Pick<(typeof forms)[0], 'bytes' | 'time'>, WinogradTile | undefined] = [
    plain,
    undefined,
  ];
  for (;;) {
    const further = forms
      .filter(({ bytes, time }) => bytes > at.bytes && time < at.time)
      .map((form) => ({ form, worth: (at.time - form.time) / (form.bytes - at.bytes) }))
      .sort((a, b) => b.worth - a.worth);
    if (further.length === 0) return steps;
    const [{ form, worth }] = further;
    steps.push({ tensor, from, to: form.tile, bytes: form.bytes - at.bytes, worth });
    [at, from] = [form, form.tile];
  }
}

/** What several nodes read: a filter that a derivative reads too stays in its plain form, beside which planes take more than they save. */
function sharedOnes(nodes: readonly Tensor[]): ReadonlySet<Tensor> {
  const [read, shared] = [new Set<Tensor>(), new Set<Tensor>()];
  for (const input of nodes.flatMap(({ inputs }) => inputs)) {
    (read.has(input) ? shared : read).add(input);
  }
  return shared;
}

/** 3 x 3, each step one cell, on stored filters. */
function isSuitable({ inputs: [, weight], attrs }: NodeOf<'conv'>): boolean {
  const { strides, dilations, groups } = attrs;
  const kernel = weight.shape.slice(2) as readonly number[];
  const ones = [...strides, ...dilations].every((step) => step === 1);
  return (
    kernel.length === 2 &&
    kernel.every((size) => size === 3) &&
    ones &&
    groups === 1 &&
    storedWeight(weight) !== undefined
  );
}

/**
 * What things take in products of a plain convolution, measured on two cores with AVX-512 (bench/README.md):
 * a product of planes, a number of a filter or of its planes that is read, one that is widened first, and the
 * transforms of a cell and channel, which weigh less the more channels share them.
 */
const costs = { product: 1.18, read: 15, widened: 50, transforms: { 2: 660, 4: 500 } } as const;

/** Time of a plain convolution whose filters take so many bytes. */
function plainTime(tensor: NodeOf<'conv'>, bytes: number): number {
  const { filters, cells } = sizesOf(tensor);
  const isNarrow = bytes < filters * 9 * 4;
  return filters * 9 * (cells + (isNarrow ? costs.widened : costs.read));
}

function winogradTime(tensor: NodeOf<'conv'>, tile: WinogradTile): number {
  const { planes } = winogradForms[tile];
  const { filters, channels, cells, tiles } = sizesOf(tensor, tile);
  const products = filters * planes * (costs.product * tiles + costs.read);
  return products + costs.transforms[tile] * channels * cells;
}

/** Pairs of channels, channels of both sides, and cells and tiles of the results of a batch. */
function sizesOf({ inputs: [, weight], shape }: NodeOf<'conv'>, tile: WinogradTile = 2) {
  const [outputs, channels] = weight.shape as readonly number[];
  const [, , height, width] = nominal(shape);
  return {
    filters: outputs * channels,
    channels: outputs + channels,
    cells: nominalRows * height * width,
    tiles: nominalRows * Math.ceil(height / tile) * Math.ceil(width / tile),
  };
}

/** Floats of a convolution's input and result. */
const floatsAt = ({ inputs: [x], shape }: NodeOf<'conv'>): number[] =>
  [x.shape, shape].map((of) => nominal(of).reduce((product, size) => product * size, 1));

/** A shape with one row in its batch and every unknown size as `nominalSize`. */
function nominal([, ...shape]: readonly Dim[]): number[] {
  const names = shape.flatMap(symbolsOf);
  const bindings = Object.fromEntries(names.map((name) => [name, nominalSize]));
  return [1, ...evalShape(shape, bindings)];
}

/**
 * 3 x 3 convolutions by Winograd's method (engine/weights/winograd.ts), written as a graph of standard
 * operators: patches of the picture to 36 planes, one matrix product for each plane, planes to tiles
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
import {
  inputTransform,
  outputTransform,
  winogradPatch,
  winogradPlanes,
  winogradTile,
} from '../weights/winograd.ts';
import { type Builder, storedWeight } from './builder.ts';
import type { NodeOf } from './portable.ts';

/** The convolution; the rows of a batch are further columns of the products. */
export function winogradConv(
  b: Builder,
  { inputs: [x, weight], attrs: { pads }, shape }: NodeOf<'conv'>,
  [name, , bias]: readonly string[],
): string {
  const [batch, channels] = x.shape;
  const [, outputs, height, width] = shape as readonly [Dim, number, Dim, Dim];
  const [rows, columns] = [ceilDivDim(height, winogradTile), ceilDivDim(width, winogradTile)];
  const filters = b.weight(storedWeight(weight)!, { kind: 'winograd' });

  const reshape = (value: string, to: string): string => b.emit('Reshape', [value, to]);
  const transpose = (value: string, order: readonly number[]): string =>
    b.emit('Transpose', [value], { attributes: { perm: { ints: order } } });

  // every channel as a picture of its own: [b*c, 1, h, w] -> [b*c, 36, rows, columns]
  const [top, left, bottom, right] = pads;
  const more = winogradTile - 1; // cells past the end, for the last tile
  const patches = b.emit(
    'Conv',
    [
      reshape(name, b.ints([-1, 1, 0, 0])),
      b.floats(inputTransform, [winogradPlanes, 1, winogradPatch, winogradPatch]),
    ],
    {
      attributes: {
        kernel_shape: { ints: [winogradPatch, winogradPatch] },
        strides: { ints: [winogradTile, winogradTile] },
        pads: { ints: [top, left, bottom + more, right + more] },
      },
    },
  );
  // [36, c, b*rows*columns]
  const separate = reshape(patches, b.sizes([batch, channels, winogradPlanes, -1]));
  const planes = reshape(transpose(separate, [2, 1, 0, 3]), b.ints([0, 0, -1]));
  const products = b.emit('MatMul', [filters, planes]); // [36, o, b*rows*columns]
  const tiles = b.emit('MatMul', [
    b.floats(outputTransform, [winogradTile ** 2, winogradPlanes]),
    reshape(products, b.ints([winogradPlanes, -1])),
  ]);
  // [4, 4, o*b*rows*columns] -> [4, o, b, rows, columns*4] -> [b, o, rows*4, columns*4]
  const side = winogradTile;
  const lines = reshape(
    transpose(reshape(tiles, b.ints([side, side, -1])), [0, 2, 1]),
    b.sizes([side, outputs, batch, rows, -1]),
  );
  const whole = reshape(
    transpose(lines, [2, 1, 3, 0, 4]),
    b.sizes([0, 0, -1, mulDim(columns, side)]),
  );
  const exact = [rows, columns].every((n, i) => sameDim(mulDim(n, side), [height, width][i]));
  const y = exact
    ? whole
    : b.emit('Slice', [whole, b.ints([0, 0]), b.sizes([height, width]), b.ints([2, 3])]);
  return bias === undefined ? y : b.emit('Add', [y, reshape(bias, b.ints([-1, 1, 1]))]);
}

/** What is expected to be computed where nothing says how large pictures are: 64 x 64 cells. */
const nominalSize = 64;
/** Share of a plain convolution's time that must be saved. */
const leastGain = 0.2;
/** Floats that the planes of a layer may take in any case. */
const freely = 2 ** 26;

interface Candidate {
  readonly tensor: Tensor;
  /** Bytes beyond those of the plain filters. */
  readonly bytes: number;
  /** Time that is saved for each byte, in no unit. */
  readonly worth: number;
}

/**
 * The convolutions of a program that gain by Winograd's method, those first that save most time for
 * their bytes (a filter's saving grows with the picture it is moved over and with its channels), up to
 * `most` bytes beyond the plain filters, which take `bytesOf`; and those bytes.
 */
export function winogradLayers(
  { nodes }: Pick<Program, 'nodes'>,
  most: number,
  bytesOf: (weight: Tensor) => number = ({ shape }) => (sizeOfShape(shape) as number) * 4,
): { readonly layers: ReadonlySet<Tensor>; readonly bytes: number } {
  const convolutions = nodes.filter((tensor) => isOp(windowOps.conv, tensor));
  const peak = Math.max(
    0,
    ...convolutions.map((tensor) => floatsAt(tensor).reduce((a, b) => a + b)),
  );
  const room = Math.max(1.25 * peak, freely);
  const candidates = convolutions
    .filter((tensor) => isSuitable(tensor) && gain(tensor) >= leastGain)
    // the planes, twice while they are moved
    .filter(
      (tensor) => 2 * (winogradPlanes / winogradTile ** 2) * Math.max(...floatsAt(tensor)) <= room,
    )
    .map((tensor): Candidate => {
      const filters = storedWeight(tensor.inputs[1])!;
      const [outputs, channels] = filters.shape as readonly number[];
      const [, , height, width] = nominal(tensor.shape);
      const bytes = outputs * channels * winogradPlanes * 4 - bytesOf(filters);
      return { tensor, bytes, worth: height * width * gain(tensor) };
    })
    .sort((a, b) => b.worth - a.worth);
  const layers = new Set<Tensor>();
  let bytes = 0;
  for (const candidate of candidates) {
    if (bytes + candidate.bytes > most) continue;
    layers.add(candidate.tensor);
    bytes += candidate.bytes;
  }
  return { layers, bytes };
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
 * The share of time that is saved, measured on two cores with AVX-512 (bench/README.md): a quarter of
 * the products at a little less speed, and for each cell the transforms, which weigh less the more
 * channels share them.
 */
function gain({ inputs: [, weight] }: NodeOf<'conv'>): number {
  const [outputs, channels] = weight.shape as readonly number[];
  return 1 - (0.3 + 55 * (1 / outputs + 1 / channels));
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

/** Oracle: the host interpreter, which sums every product. */
import { describe, expect, it } from 'vitest';
import { gradients } from '../../../engine/autodiff/gradients.ts';
import { lower } from '../../../engine/onnx/lower.ts';
import { winogradLayers } from '../../../engine/onnx/winograd.ts';
import { openSession } from '../../../engine/runtime/session.ts';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { conv2d } from '../../../engine/tensor/layers.ts';
import { mul, sum } from '../../../engine/tensor/nn.ts';
import { windowOps } from '../../../engine/tensor/ops/windows.ts';
import { type Dim, mulDim, symbol } from '../../../engine/tensor/shape.ts';
import { type Graph, type Program, trace } from '../../../engine/tensor/trace.ts';
import { cutTask } from '../../../engine/weights/prepare.ts';
import { type WinogradTile, winogradForms } from '../../../engine/weights/winograd.ts';
import { firstDifference, preparedFloats } from '../../support/prepare.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';

const inTilesOf = (tile: WinogradTile, { nodes }: Program) =>
  new Map(nodes.filter(({ op }) => op === windowOps.conv).map((tensor) => [tensor, tile]));

const picture = (g: Graph, channels: number) =>
  g.input('x', 'f32', ['batch', channels, 'height', 'width']);

const tiles = [2, 4] as const;

describe.each(tiles)('a convolution by Winograd in tiles of %i', (tile) => {
  it.each([
    { x: [2, 8, 8, 12], pad: 1 as const },
    { x: [3, 8, 5, 7], pad: 1 as const },
    { x: [1, 8, 1, 1], pad: 1 as const },
    { x: [1, 8, 3, 2], pad: 1 as const },
    { x: [2, 8, 9, 6], pad: 0 as const },
    { x: [1, 8, 6, 9], pad: [0, 0, 1, 1] as const },
  ])('of $x padded by $pad is the plain sum', async ({ x, pad }) => {
    const source = randomSource({ weight: { shape: [6, 8, 3, 3], dtype: 'F16' }, bias: [6] });
    const program = trace('conv', source, (g) => ({
      y: conv2d(g.weights, picture(g, 8), { pad: typeof pad === 'number' ? pad : [...pad] }),
    }));
    const layers = inTilesOf(tile, program);
    const inputs = {
      x: {
        data: randomFloats(
          x.reduce((n, d) => n * d),
          7,
        ),
        shape: x,
      },
    };
    const expected = (await interpret(program, inputs)).y;
    const session = await openSession(program, { threads: 1, winograd: layers });
    const { y } = await session.run(inputs);
    await session.release();
    expect(y.shape).toEqual(expected.shape);
    const worst = y.data.reduce((most, v, i) => Math.max(most, Math.abs(v - expected.data[i])), 0);
    const largest = y.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    expect(worst / largest).toBeLessThan(1e-5);
  });

  it('is cut at the end only where tiles may pass it', () => {
    const source = randomSource({ weight: [4, 4, 3, 3] });
    const opsFor = (size: Dim): string[] => {
      const program = trace('conv', source, (g) => ({
        y: conv2d(g.weights, g.input('x', 'f32', ['batch', 4, size, size]), { pad: 1 }),
      }));
      const winograd = inTilesOf(tile, program);
      return lower(program, { winograd, widen: 'weights' }).nodes.map(({ op }) => op);
    };
    expect(opsFor(symbol('height'))).toContain('Slice');
    expect(opsFor(mulDim(symbol('height'), 8))).not.toContain('Slice');
  });
});

describe('which convolutions', () => {
  const network = trace(
    'net',
    randomSource({
      'wide.weight': [1024, 512, 3, 3],
      'small.weight': [1024, 512, 3, 3],
      'narrow.weight': [64, 1024, 3, 3],
      'strided.weight': [512, 1024, 3, 3],
      'point.weight': [512, 1024, 1, 1],
    }),
    (g) => {
      const wide = conv2d(g.weights.at('wide'), picture(g, 512), { pad: 1 });
      const strided = conv2d(g.weights.at('strided'), wide, { pad: 1, stride: 2 });
      const small = conv2d(g.weights.at('small'), strided, { pad: 1 });
      return {
        small: conv2d(g.weights.at('point'), small),
        narrow: conv2d(g.weights.at('narrow'), wide, { pad: 1 }),
      };
    },
  );
  const chosen = (most: number): (readonly [string, WinogradTile])[] =>
    [...winogradLayers(network, most).layers].map(([{ scope }, tile]) => [scope, tile]);
  const filters = 1024 * 512 * 4;
  const small = (16 - 9) * filters;
  const large = (36 - 9) * filters;

  it('those with many channels, none with steps or another kernel', () => {
    expect(chosen(Infinity)).toEqual([
      ['wide', 4],
      ['small', 4],
    ]);
    expect(winogradLayers(network, Infinity).bytes).toBe(2 * large);
  });

  it('first the larger picture, in small tiles where bytes reach no further', () => {
    expect(chosen(large + small)).toEqual([
      ['wide', 4],
      ['small', 2],
    ]);
    expect(chosen(large)).toEqual([['wide', 4]]);
    expect(chosen(small)).toEqual([['wide', 2]]);
    expect(chosen(small - 1)).toEqual([]);
  });

  it('none whose filters a derivative reads too', () => {
    const source = randomSource({ weight: [1024, 512, 3, 3] });
    const step = trace('step', source, (g) => {
      const x = picture(g, 512);
      const y = conv2d(g.weights, x, { pad: 1 });
      return { x: gradients(sum(mul(y, y), [0, 1, 2, 3]), [x])[0], y };
    });
    expect(winogradLayers(step, Infinity).layers.size).toBe(0);
  });
});

describe.each(tiles)('filters in planes for tiles of %i', (tile) => {
  const layout = { kind: 'winograd', tile } as const;

  it.each([
    [1, 1],
    [3, 5],
    [70, 500],
  ])("%i x %i are G g G' in double precision, rounded once", (outputs, inputs) => {
    const shape = [outputs, inputs, 3, 3];
    const values = randomFloats(outputs * inputs * 9, 3);
    const bytes = new Uint8Array(values.buffer);
    const planes = preparedFloats({ dtype: 'F32', shape, layout }, bytes);
    expect(firstDifference(planes, winogradFilters(values, tile))).toBe(-1);
  });

  it('are made in pieces', () => {
    expect(cutTask({ dtype: 'F32', shape: [70, 500, 3, 3], layout }).length).toBeGreaterThan(1);
  });
});

/** G for three numbers: (1 0 0), 1/2 (1 1 1), 1/2 (1 -1 1), (0 0 1). */
function onShortAxis(g0: number, g1: number, g2: number): number[] {
  const [even, odd] = [(g0 + g2) * 0.5, g1 * 0.5];
  return [g0, even + odd, even - odd, g2];
}

/** G for three numbers: 1/4 (1 0 0), -1/6 (1 1 1), -1/6 (1 -1 1), 1/24 (1 2 4), 1/24 (1 -2 4), (0 0 1). */
function onAxis(g0: number, g1: number, g2: number): number[] {
  const even = (g0 + g2) * (-1 / 6);
  const odd = g1 * (-1 / 6);
  const wideEven = g0 * (1 / 24) + g2 * (1 / 6);
  const wideOdd = g1 * (1 / 12);
  return [g0 * 0.25, even + odd, even - odd, wideEven + wideOdd, wideEven - wideOdd, g2];
}

/** Filters [n, 3, 3] as planes [16 or 36, n]. */
function winogradFilters(values: Float32Array, tile: WinogradTile): Float32Array {
  const count = values.length / 9;
  const axis = { 2: onShortAxis, 4: onAxis }[tile];
  const { planes: planeCount } = winogradForms[tile];
  const planes = new Float32Array(count * planeCount);
  for (let filter = 0; filter < count; filter++) {
    const g = values.subarray(filter * 9, filter * 9 + 9);
    const columns = [0, 1, 2].map((x) => axis(g[x], g[x + 3], g[x + 6]));
    const filtered = columns[0].flatMap((first, a) => axis(first, columns[1][a], columns[2][a]));
    filtered.forEach((value, plane) => (planes[plane * count + filter] = value));
  }
  return planes;
}

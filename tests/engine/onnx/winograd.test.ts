/** Oracle: the host interpreter, which sums every product. */
import { describe, expect, it } from 'vitest';
import { lower } from '../../../engine/onnx/lower.ts';
import { winogradLayers } from '../../../engine/onnx/winograd.ts';
import { openSession } from '../../../engine/runtime/session.ts';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { conv2d } from '../../../engine/tensor/layers.ts';
import { windowOps } from '../../../engine/tensor/ops/windows.ts';
import { type Dim, mulDim, symbol } from '../../../engine/tensor/shape.ts';
import { type Graph, trace } from '../../../engine/tensor/trace.ts';
import { cutTask, prepareFile } from '../../../engine/weights/prepare.ts';
import { winogradFilters } from '../../../engine/weights/winograd.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const picture = (g: Graph, channels: number) =>
  g.input('x', 'f32', ['batch', channels, 'height', 'width']);

describe('a convolution by Winograd', () => {
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
    const layers = new Set(program.nodes.filter(({ op }) => op === windowOps.conv));
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
      const winograd = new Set(program.nodes.filter(({ op }) => op === windowOps.conv));
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
      'wide.weight': [512, 512, 3, 3],
      'small.weight': [512, 512, 3, 3],
      'narrow.weight': [64, 512, 3, 3],
      'strided.weight': [512, 512, 3, 3],
      'point.weight': [512, 512, 1, 1],
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
  const names = (most: number): string[] =>
    [...winogradLayers(network, most).layers].map(({ scope }) => scope);
  const each = 512 * 512 * 27 * 4;

  it('those with many channels, none with steps or another kernel', () => {
    expect(names(Infinity)).toEqual(['wide', 'small']);
    expect(winogradLayers(network, Infinity).bytes).toBe(2 * each);
  });

  it('first the larger picture, as far as bytes reach', () => {
    expect(names(each)).toEqual(['wide']);
    expect(names(each - 1)).toEqual([]);
  });
});

describe('filters in planes', () => {
  it('are the same in pieces', () => {
    const folder = mkdtempSync(join(tmpdir(), 'noodle-planes-'));
    const shape = [70, 500, 3, 3];
    const values = randomFloats(
      shape.reduce((n, d) => n * d),
      3,
    );
    const bytes = new Uint8Array(values.buffer);
    const task = { dtype: 'F32', shape, layout: { kind: 'winograd' }, target: 64 } as const;
    expect(cutTask(task).length).toBeGreaterThan(1);
    const target = join(folder, 'planes');
    writeFileSync(target, new Uint8Array(64 + 70 * 500 * 36 * 4));
    prepareFile(target, [{ ...task, bytes: { kind: 'memory', bytes } }]);
    const written = readFileSync(target).subarray(64);
    expect(written.equals(new Uint8Array(winogradFilters(values).buffer))).toBe(true);
    rmSync(folder, { recursive: true });
  });
});

import { describe, expect, it } from 'vitest';
import { openSession } from '../../../engine/runtime/session.ts';
import { interpret } from '../../../engine/tensor/interpret.ts';
import { add, expand, mean, rearrange, reshape } from '../../../engine/tensor/nn.ts';
import {
  type Dim,
  type SymbolicDim,
  addDim,
  floorDivDim,
  mulDim,
  symbol,
} from '../../../engine/tensor/shape.ts';
import { bindSizes } from '../../../engine/tensor/sizes.ts';
import { type Program, trace } from '../../../engine/tensor/trace.ts';
import { randomFloats, randomSource } from '../../support/random-weights.ts';

const half = (name: string): Dim => floorDivDim(addDim(symbol(name), 1), 2);
const [h, w] = [half('height'), half('width')];
const area = mulDim(h, w) as SymbolicDim;

/** A program in the middle of a network: it knows halves of the picture's sizes only. */
const middle = (): Program =>
  trace('middle', randomSource({}), ({ input }) => {
    const x = input('x', 'f32', ['batch', 2, h, addDim(mulDim(w, 2), 1)]);
    const tokens = input('tokens', 'f32', ['batch', area, 2]);
    const picture = rearrange(tokens, 'b (h w) c -> b c h w', { h, w });
    const spread = expand(mean(x, 3, { keep: true }), ['batch', 2, h, w].map(toDim));
    return { y: add(picture, spread), flat: reshape(tokens, [mulDim(symbol('batch'), area), 2]) };
  });
const toDim = (dim: string | Dim): Dim => (typeof dim === 'string' ? symbol(dim) : dim);

const filled = (shape: readonly number[]) => ({
  data: randomFloats(shape.reduce((n, dim) => n * dim, 1)),
  shape,
});

describe('sizes that only derived sizes tell', () => {
  it('are read from the axes they are the size of', () => {
    expect(bindSizes(middle(), { x: filled([2, 2, 3, 9]), tokens: filled([2, 12, 2]) })).toEqual({
      batch: 2,
      '(height + 1)//2': 3,
      '(width + 1)//2': 4,
    });
  });

  it('are the same for the interpreter and for ONNX Runtime', async () => {
    const program = middle();
    const inputs = { x: filled([2, 2, 3, 9]), tokens: filled([2, 12, 2]) };
    const session = await openSession(program, { threads: 1 });
    const [got, expected] = [await session.run(inputs), await interpret(program, inputs)];
    await session.release();
    expect(got.flat.shape).toEqual([24, 2]);
    expect(got.y.shape).toEqual([2, 2, 3, 4]);
    got.y.data.forEach((value, i) => expect(value).toBeCloseTo(expected.y.data[i], 5));
  });

  it('must agree wherever they stand', () => {
    const wrong = { x: filled([2, 2, 3, 9]), tokens: filled([2, 13, 2]) };
    expect(() => bindSizes(middle(), wrong)).toThrow("input 'tokens': expected [2, 12, 2]");
    const two = trace('two', randomSource({}), ({ input }) => ({
      y: add(input('a', 'f32', [area]), input('b', 'f32', [area])),
    }));
    expect(bindSizes(two, { a: filled([6]), b: filled([6]) })).toEqual({ [area.text]: 6 });
    expect(() => bindSizes(two, { a: filled([6]), b: filled([5]) })).toThrow(/expected \[6\]/);
  });

  it('follow from a symbol where it is known', () => {
    const known = trace('known', randomSource({}), ({ input }) => ({
      y: add(mean(input('a', 'f32', ['height']), 0), mean(input('b', 'f32', [h]), 0)),
    }));
    expect(() => bindSizes(known, { a: filled([5]), b: filled([4]) })).toThrow(/expected \[3\]/);
  });

  it('are refused where nothing tells them', () => {
    const build = () =>
      trace('lost', randomSource({}), ({ input }) => ({
        y: reshape(input('a', 'f32', [area]), [h, w]),
      }));
    expect(build).toThrow("the size 'height' is not the size of any input");
  });
});

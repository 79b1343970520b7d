import { describe, expect, it } from 'vitest';
import {
  addDim,
  ceilDivDim,
  dimText,
  evalDim,
  floorDivDim,
  mulDim,
  sameDim,
  subDim,
  symbol,
} from '../../../engine/tensor/shape.ts';

const [h, w] = [symbol('h'), symbol('w')];
const down = (dim: typeof h) => addDim(floorDivDim(subDim(dim, 1), 2), 1); // conv 3, stride 2, pad 1

describe('symbolic sizes', () => {
  it.each([
    [addDim(h, 0), 'h'],
    [subDim(h, h), '0'],
    [mulDim(h, 2), '2*h'],
    [mulDim(addDim(h, 1), addDim(w, -1)), 'h*w - h + w - 1'],
    [floorDivDim(mulDim(h, 6), 3), '2*h'],
    [floorDivDim(addDim(mulDim(h, 2), 1), 2), 'h'],
    [down(h), '(h + 1)//2'],
    [ceilDivDim(h, 2), '(h + 1)//2'],
    [mulDim(floorDivDim(h, 2), 2), '2*(h//2)'],
    [floorDivDim(floorDivDim(h, 2), 4), 'h//8'],
    [floorDivDim(mulDim(h, w), w), 'h'],
    [floorDivDim(mulDim(mulDim(h, w), 6), mulDim(w, 3)), '2*h'],
    [floorDivDim(h, w), 'h//w'],
    [floorDivDim(mulDim(h, -1), 2), '-h + h//2'],
    [floorDivDim(7, 2), '3'],
  ])('%# reads %s', (dim, text) => {
    expect(dimText(dim)).toBe(text);
  });

  it('compares by normal form', () => {
    expect(sameDim(mulDim(h, w), mulDim(w, h))).toBe(true);
    expect(sameDim(down(h), ceilDivDim(h, 2))).toBe(true);
    expect(sameDim(h, w)).toBe(false);
    expect(sameDim(h, 4)).toBe(false);
  });

  it.each([1, 2, 3, 7, 64, 97])('has the value integer arithmetic gives at h = %i', (value) => {
    const bindings = { h: value, w: 5 };
    expect(evalDim(down(h), bindings)).toBe(Math.floor((value - 1) / 2) + 1);
    expect(evalDim(floorDivDim(mulDim(h, -3), 4), bindings)).toBe(Math.floor((-3 * value) / 4));
    expect(evalDim(floorDivDim(addDim(mulDim(h, 7), w), 3), bindings)).toBe(
      Math.floor((7 * value + 5) / 3),
    );
    expect(evalDim(floorDivDim(mulDim(h, w), addDim(w, 1)), bindings)).toBe(
      Math.floor((value * 5) / 6),
    );
  });

  it('refuses unknown symbols and bad names', () => {
    expect(() => evalDim(h, {})).toThrow(/'h'/);
    expect(() => symbol('2x')).toThrow(/name/);
  });
});

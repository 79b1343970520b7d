import { describe, expect, it } from 'vitest';
import {
  parseEmphasis,
  parsePythonFloat,
  plainSegment,
} from '../../../engine/text/prompt-weights.ts';

const parsed = (prompt: string): [string, number][] =>
  parseEmphasis(prompt).map(({ text, weight }) => [text, weight]);

describe('parseEmphasis', () => {
  it('weights, nests and resets', () => {
    expect(parsed('a (b) c')).toEqual([
      ['a ', 1],
      ['b', 1.1],
      [' c', 1],
    ]);
    expect(parsed('((b))')).toEqual([['b', 1.1 * 1.1]]);
    expect(parsed('(a (b:0.5) c:1.3)')).toEqual([
      ['a ', 1.3],
      ['b', 0.5],
      [' c', 1.3],
    ]);
  });

  it('keeps escapes, unbalanced brackets and odd weights', () => {
    expect(parsed('\\(a\\)')).toEqual([['(a)', 1]]);
    expect(parsed('(a')).toEqual([['(a', 1]]);
    expect(parsed(')a(b)')).toEqual([[')a(b)', 1]]);
    expect(parsed('(a:x)')).toEqual([['a:x', 1.1]]);
    expect(parsed('(:1.5)')).toEqual([[':1.5', 1.1]]);
    expect(parsed('()')).toEqual([]);
    expect(parsed('')).toEqual([]);
  });

  it('refuses absurd nesting quickly', () => {
    expect(() => parsed('('.repeat(5000) + 'a' + ')'.repeat(5000))).toThrow('nested brackets');
  });

  it('leaves brackets alone for encoders without emphasis', () => {
    expect(plainSegment('(a:1.2) \\(b\\)')).toEqual([{ text: '(a:1.2) (b)', weight: 1 }]);
  });
});

describe('parsePythonFloat', () => {
  it.each<[string, number | undefined]>([
    [' 1.5\u00a0', 1.5],
    ['1_0.2_5', 10.25],
    ['.5', 0.5],
    ['1.', 1],
    ['-1e-2', -0.01],
    ['+inf', Infinity],
    ['-Infinity', -Infinity],
    ['NaN', NaN],
    ['\u0661.\u0665', 1.5],
    ['\u{1d7d9}\u{1d7da}', 12],
    ['0x10', undefined],
    ['1,5', undefined],
    ['1__0', undefined],
    ['_1', undefined],
    ['.', undefined],
    ['e5', undefined],
    ['', undefined],
    ['1 2', undefined],
  ])('reads %j as Python does', (text, value) => {
    expect(parsePythonFloat(text)).toEqual(value);
  });

  it('is linear on long digits', () => {
    const start = performance.now();
    expect(parsePythonFloat('1'.repeat(200_000) + 'x')).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(500);
  });
});

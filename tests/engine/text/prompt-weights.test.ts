import { describe, expect, it } from 'vitest';
import { parseEmphasis, plainSegment } from '../../../engine/text/prompt-weights.ts';

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

  it('reads weights as Python reads numbers', () => {
    expect(parsed('(a:\u0661.\u0665)')).toEqual([['a', 1.5]]);
    expect(parsed('(a: 1_0 )')).toEqual([['a', 10]]);
  });

  it('leaves brackets alone for encoders without emphasis', () => {
    expect(plainSegment('(a:1.2) \\(b\\)')).toEqual([{ text: '(a:1.2) (b)', weight: 1 }]);
  });
});

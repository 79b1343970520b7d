import { describe, expect, it } from 'vitest';
import { type TokenizeOptions, tokenize } from '../../../engine/text/token-batches.ts';

/** One token a word: its length; enough to see how batches fill. */
const options: TokenizeOptions = {
  tokenizer: {
    encode: (text) =>
      text
        .split(' ')
        .filter(Boolean)
        .map((word) => word.length),
  },
  capacity: 12,
  start: 100,
  end: 101,
  pad: 0,
};

describe('tokenize', () => {
  it('gives one padded batch for an empty prompt', () => {
    const [batch, ...more] = tokenize('', options);
    expect(more).toEqual([]);
    expect(batch.ids).toEqual([100, 101, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(batch.weights).toEqual(Array(12).fill(1));
  });

  it('moves a short group to the next batch and cuts a long one', () => {
    const short = tokenize('a a a a a a (bb bb bb bb bb:2)', options);
    expect(short.map(({ ids }) => ids)).toEqual([
      [100, 1, 1, 1, 1, 1, 1, 101, 0, 0, 0, 0],
      [100, 2, 2, 2, 2, 2, 101, 0, 0, 0, 0, 0],
    ]);
    expect(short[1].weights).toEqual([1, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1]);
    expect(short[1].wordIds.slice(0, 7)).toEqual([0, 2, 2, 2, 2, 2, 0]);
    const long = tokenize('a a a a a a (bb bb bb bb bb bb bb bb:2)', options);
    expect(long.map(({ ids }) => ids)).toEqual([
      [100, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 101],
      [100, 2, 2, 2, 2, 101, 0, 0, 0, 0, 0, 0],
    ]);
  });

  it('pads to a minimum after the last batch', () => {
    const lengths = (more: Partial<TokenizeOptions>): number[] =>
      tokenize('a', { ...options, ...more }).map(({ ids }) => ids.length);
    expect(lengths({ minLength: 20 })).toEqual([20]);
    expect(lengths({ minPadding: 15 })).toEqual([18]);
    expect(lengths({ capacity: Infinity })).toEqual([3]);
    expect(lengths({ capacity: Infinity, start: undefined, minLength: 5 })).toEqual([5]);
  });

  it('puts embedding rows among the tokens', () => {
    const row = new Float32Array([1, 2]);
    const missing: string[] = [];
    const embeddings = (name: string): Float32Array[] | undefined =>
      name === 'emb' ? [row, row] : undefined;
    const ids = (text: string): unknown[] =>
      tokenize(text, {
        ...options,
        embeddings,
        onMissing: (name) => missing.push(name),
      })[0].ids.filter((id) => id !== 0);
    expect(ids('a embedding:emb, b')).toEqual([
      100,
      1,
      { vector: row },
      { vector: row },
      1,
      1,
      101,
    ]);
    expect(ids('embedding:none cc')).toEqual([100, 2, 101]);
    expect(missing).toEqual(['none']);
    expect(() => ids('embedding:')).toThrow('embedding:');
    expect(tokenize('embedding:emb', options)[0].ids[1]).toBe(13);
  });
});

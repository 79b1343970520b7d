import { describe, expect, it } from 'vitest';
import { CLIP_END, CLIP_START, clipTokenizer } from '../../../engine/text/clip-bpe.ts';

const encode = (text: string): number[] => clipTokenizer().encode(text);

// Ids by transformers 4.57 (golden data of the reference).
describe('clipTokenizer', () => {
  it('encodes words, digits and punctuation', () => {
    expect(encode('a photo of a cat')).toEqual([320, 1125, 539, 320, 2368]);
    expect(encode('A  Photo\tOF\na CAT')).toEqual(encode('a photo of a cat'));
    expect(encode('12')).toHaveLength(2);
    expect(encode('')).toEqual([]);
    expect(encode(' \u200b\ufeff')).toEqual([]);
  });

  it('composes accents and drops invisible characters', () => {
    expect(encode('cafe\u0301')).toEqual(encode('caf\u00e9'));
    expect(encode('c\u00ada\u200dt')).toEqual(encode('cat'));
  });

  it('takes the special tokens, in any case', () => {
    expect(encode('<|startoftext|>cat<|EndOfText|>')).toEqual([CLIP_START, 2368, CLIP_END]);
  });

  it('encodes any byte', () => {
    expect(encode('\u{1f600}').length).toBeGreaterThan(0);
    expect(encode('\ud800')).toEqual([]);
  });

  it('stays quick on one endless word', () => {
    const start = performance.now();
    const word = Array.from({ length: 100_000 }, (_, i) => 'etaoinshr'[(i * 7919) % 9]).join('');
    expect(encode(word).length).toBeGreaterThan(1000);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

import { describe, expect, it } from 'vitest';
import { CLIP_END, CLIP_START, clipTokenizer } from '../../../engine/text/clip-bpe.ts';
import { cpuTimer } from '../../support/cpu-time.ts';

const encode = (text: string): number[] => clipTokenizer().encode(text);

// Ids by transformers 5.18 (golden data of the reference).
describe('clipTokenizer', () => {
  it('encodes words, digits and punctuation', () => {
    expect(encode('a photo of a cat')).toEqual([320, 1125, 539, 320, 2368]);
    expect(encode('A  Photo\tOF\na CAT')).toEqual(encode('a photo of a cat'));
    expect(encode('12')).toHaveLength(2);
    expect(encode('')).toEqual([]);
  });

  it('composes accents; what cannot be seen is read', () => {
    expect(encode('cafe\u0301')).toEqual(encode('caf\u00e9'));
    expect(encode('zero\u200bwidth')).toEqual([5848, 9844, 23571]);
    expect(encode('\ufeffcat')).toEqual([171, 119, 379, 2368]);
    for (const unseen of ['\u00ad', '\u200d', '\0', '\u0007', '\ue000']) {
      expect(encode(`c${unseen}at`).length, JSON.stringify(unseen)).toBeGreaterThan(2);
    }
  });

  it('reads ideographs in their words', () => {
    expect(encode('彩虹星系')).toEqual([161, 121, 102, 164, 247, 117, 42891, 253, 163, 111, 375]);
    expect(encode('日本語')).toEqual([39121, 44353, 34002, 508]);
  });

  it('lowers one character after the other', () => {
    expect(encode('ΟΔΟΣ')).toEqual(encode('οδοσ'));
    expect(encode('\u0085cat\u0085')).toEqual([2368]);
  });

  it('takes the special tokens as they are written', () => {
    expect(encode('<|startoftext|>cat<|endoftext|>')).toEqual([CLIP_START, 2368, CLIP_END]);
    expect(encode('<|ENDOFTEXT|> hi')).toEqual([27, 347, 40786, 4160, 91, 285, 1883]);
  });

  it('encodes any byte', () => {
    expect(encode('\u{1f600}').length).toBeGreaterThan(0);
    expect(encode('\ud800')).toEqual([]);
  });

  it('stays quick on one endless word', () => {
    const spent = cpuTimer();
    const word = Array.from({ length: 100_000 }, (_, i) => 'etaoinshr'[(i * 7919) % 9]).join('');
    expect(encode(word).length).toBeGreaterThan(1000);
    expect(spent()).toBeLessThan(2000);
  });
});

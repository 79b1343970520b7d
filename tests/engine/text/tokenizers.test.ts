/**
 * Tokenizers against the programs that vocabularies are made with (`sentencepiece` 0.2.2, `tokenizers` 0.23.2), on
 * small vocabularies trained with them: tests/fixtures/tokenizers.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { byt5Tokenizer } from '../../../engine/text/byt5.ts';
import { qwenTokenizer } from '../../../engine/text/qwen-tokens.ts';
import { sentencePiece } from '../../../engine/text/sentence-piece.ts';
import { tekken } from '../../../engine/text/tekken.ts';
import type { TextTokenizer } from '../../../engine/text/token-batches.ts';
import { tokenizerFromJson } from '../../../engine/text/tokenizer-json.ts';
import { wordPiece } from '../../../engine/text/word-piece.ts';

const folder = join(import.meta.dirname, '../../fixtures/tokenizers');
const bytes = (name: string): Buffer => readFileSync(join(folder, name));
const text = (name: string): string => bytes(name).toString();

const expected = JSON.parse(text('expected.json')) as {
  readonly prompts: readonly string[];
} & Record<string, readonly number[][]>;

const tokenizers: readonly (readonly [string, () => TextTokenizer])[] = [
  ['unigram.model', () => sentencePiece(bytes('unigram.model'), 'test')],
  ['bpe.model', () => sentencePiece(bytes('bpe.model'), 'test')],
  ['unigram.json', () => tokenizerFromJson(text('unigram.json'), 'test')],
  ['byte-level.json', () => tokenizerFromJson(text('byte-level.json'), 'test')],
  ['vocab.json', () => qwenTokenizer(text('vocab.json'), text('merges.txt'), 'test')],
];

test.each(tokenizers)('%s gives the same ids', (name, open) => {
  const { encode } = open();
  expect(expected.prompts.map((prompt) => encode(prompt))).toEqual(expected[name]);
});

test("Qwen's special strings are one token each", () => {
  const { encode } = qwenTokenizer(text('vocab.json'), text('merges.txt'), 'test');
  const [start, ...rest] = encode('<|im_start|>a<|image_pad|>');
  expect([start, rest.at(-1)]).toEqual([151644, 151655]);
});

test('bytes, and what stands for no text', () => {
  expect(byt5Tokenizer.encode('é</s><extra_id_1>')).toEqual([0xc3 + 3, 0xa9 + 3, 1, 260]);
});

test("BERT's words: lower case, no accents, ideographs alone, unknown ones as a whole", () => {
  const vocabulary = ['[PAD]', '[UNK]', 'cafe', 'red', '##der', '猫', '!', '[SEP]'].join('\n');
  const { encode } = wordPiece(vocabulary);
  expect(encode('Café REDDER 猫猫! redx [SEP]')).toEqual([2, 3, 4, 5, 5, 6, 1, 7]);
});

test("Mistral's ids are ranks behind the special tokens", () => {
  const base64 = (piece: string): string => Buffer.from(piece).toString('base64');
  const vocab = ['a', 'b', ' ', 'ab', ' ab'].map((piece, rank) => ({
    rank,
    token_bytes: base64(piece),
  }));
  const json = JSON.stringify({
    config: { default_num_special_tokens: 10, default_vocab_size: 100 },
    vocab,
    special_tokens: [{ rank: 3, token_str: '[INST]' }],
  });
  expect(tekken(Buffer.from(json), 'test').encode('[INST]ab ab')).toEqual([3, 13, 14]);
});

describe('what is no vocabulary says so', () => {
  test.each([
    [
      'a SentencePiece model that is cut short',
      () => sentencePiece(bytes('bpe.model').subarray(0, 99), 'x'),
    ],
    ['text', () => sentencePiece(Buffer.from('hello there, this is text'), 'x')],
    ['other JSON', () => tokenizerFromJson('{"model":{"type":"WordLevel"}}', 'x')],
    ['no JSON', () => tokenizerFromJson('<html>', 'x')],
    ['no tekken', () => tekken(Buffer.from('{}'), 'x')],
  ])('%s', (_, open) => {
    expect(open).toThrow(/x: expected/);
  });

  test('an endless word stays quick', () => {
    const { encode } = sentencePiece(bytes('unigram.model'), 'test');
    const start = performance.now();
    expect(encode('boats'.repeat(20_000)).length).toBeGreaterThan(1000);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

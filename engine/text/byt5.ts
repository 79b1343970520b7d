/** ByT5's tokens (Xue et al. 2022): the UTF-8 bytes of a text, behind three special ones. */
import { aroundSpecials } from './special-tokens.ts';
import type { TextTokenizer } from './token-batches.ts';

const FIRST_BYTE = 3;
const EXTRA_IDS = 125;

const specials = new Map<string, number>([
  ['<pad>', 0],
  ['</s>', 1],
  ['<unk>', 2],
  ...Array.from({ length: EXTRA_IDS }, (_, i): [string, number] => [
    `<extra_id_${i}>`,
    FIRST_BYTE + 256 + i,
  ]),
]);

export const byt5Tokenizer: TextTokenizer = {
  encode: aroundSpecials(specials, (part) =>
    Array.from(Buffer.from(part), (byte) => byte + FIRST_BYTE),
  ),
};

/** Mistral's tokenizer (tekken), which text encoder files carry as JSON: byte-level pieces in order of rank. */
import { NoodleError } from '../errors.ts';
import { byteLevelBpe, wordPattern } from './byte-level-bpe.ts';
import { byteSymbols } from './byte-symbols.ts';
import type { TextTokenizer } from './token-batches.ts';

interface Tekken {
  readonly config: {
    readonly default_num_special_tokens: number;
    readonly default_vocab_size: number;
  };
  readonly vocab: readonly { readonly rank: number; readonly token_bytes: string }[];
  readonly special_tokens: readonly { readonly rank: number; readonly token_str: string }[];
}

/**
 * The tokenizer in the file's bytes; `subject` names the file. Ids are ranks behind the special tokens, and a
 * pair may merge when what comes of it is a piece. Throws BAD_INPUT when the bytes are no such JSON.
 */
export function tekken(bytes: Uint8Array, subject: string): TextTokenizer {
  const { config, vocab, special_tokens } = parse(bytes, subject);
  const offset = config.default_num_special_tokens;
  const symbols = byteSymbols();
  const ids = new Map<string, number>();
  for (const { rank, token_bytes } of vocab) {
    if (rank >= config.default_vocab_size - offset) continue;
    const text = Array.from(Buffer.from(token_bytes, 'base64'), (byte) => symbols[byte].text);
    ids.set(text.join(''), rank + offset);
  }
  return byteLevelBpe({
    ids,
    rank: (left, right) => ids.get(left + right),
    specials: new Map(special_tokens.map(({ token_str, rank }) => [token_str, rank])),
    words: wordPattern(3),
  });
}

function parse(bytes: Uint8Array, subject: string): Tekken {
  try {
    const value = JSON.parse(Buffer.from(bytes).toString()) as Tekken;
    if (value.config && Array.isArray(value.vocab) && Array.isArray(value.special_tokens)) {
      return value;
    }
  } catch {
    // told below
  }
  throw new NoodleError('BAD_INPUT', {
    subject,
    expected: "Mistral's tokenizer as JSON",
    got: 'something else',
  });
}

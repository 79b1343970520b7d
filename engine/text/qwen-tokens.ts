/** Qwen's tokenizer of two files; the special tokens, which are in neither, are those of Qwen3. */
import { NoodleError } from '../errors.ts';
import { byteLevelBpe, mergeRanks, wordPattern } from './byte-level-bpe.ts';
import type { TextTokenizer } from './token-batches.ts';

const FIRST_SPECIAL = 151643;

const SPECIALS = (
  '<|endoftext|> <|im_start|> <|im_end|> <|object_ref_start|> <|object_ref_end|> <|box_start|> ' +
  '<|box_end|> <|quad_start|> <|quad_end|> <|vision_start|> <|vision_end|> <|vision_pad|> ' +
  '<|image_pad|> <|video_pad|> <tool_call> </tool_call> <|fim_prefix|> <|fim_middle|> ' +
  '<|fim_suffix|> <|fim_pad|> <|repo_name|> <|file_sep|> <tool_response> </tool_response> <think> </think>'
).split(' ');

/** The tokenizer of `vocab.json` and `merges.txt`; `subject` names the files. Throws BAD_INPUT for other texts. */
export function qwenTokenizer(vocab: string, merges: string, subject: string): TextTokenizer {
  let ids: Record<string, number>;
  try {
    ids = JSON.parse(vocab) as Record<string, number>;
  } catch {
    const expected = 'vocab.json and merges.txt of Qwen';
    throw new NoodleError('BAD_INPUT', { subject, expected, got: 'something else' });
  }
  const lines = merges.split('\n').filter((line) => line !== '' && !line.startsWith('#version'));
  return byteLevelBpe({
    ids: new Map(Object.entries(ids)),
    rank: mergeRanks(lines),
    specials: new Map(SPECIALS.map((text, i) => [text, FIRST_SPECIAL + i])),
    words: wordPattern(1),
    composed: true,
  });
}

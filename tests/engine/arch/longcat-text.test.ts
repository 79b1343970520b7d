/** LongCat-Image's prompts in parts. */
import { expect, test } from 'vitest';
import { spelledQuotations } from '../../../engine/arch/families/longcat-text.ts';

// oracle: ComfyUI 0.33's split_quotation, its quotations letter by letter
test.each([
  ['a cat', ['a cat']],
  ['', [' ']],
  ['says "Hi" and \'ok\'', ['says ', '"', 'H', 'i', '"', ' and ', "'", 'o', 'k', "'"]],
  ["I don't know", ["I don't know"]],
  ["it's a ‘b’ “c”", ["it's a ", '‘', 'b', '’', ' ', '“', 'c', '”']],
  ['"" empty', ['"', '"', ' empty']],
  ['don\'t "quote', ['don\'t "quote']],
  ['写着“你好”的', ['写着', '“', '你', '好', '”', '的']],
])('%j', (prompt, parts) => {
  expect(spelledQuotations(prompt)).toEqual(parts);
});

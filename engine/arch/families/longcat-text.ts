/** LongCat-Image's text: Qwen2.5-VL on prompts of one length, whose quotations are spelled out. */
import type { LanguageModelSpec } from '../sequence-spec.ts';
import { qwen25vl, qwenUserTurn } from './sequence-encoders.ts';

const END_OF_TURN = 151645;

const BEHIND = '{}<|im_end|>\n<|im_start|>assistant\n';
const SYSTEM = '<|im_start|>system\nAs an image ';

export const qwen25vlOfLongCat: LanguageModelSpec = {
  ...qwen25vl,
  mask: undefined,
  template:
    `${SYSTEM}captioning expert, generate a descriptive text prompt based on an image content, suitable for ` +
    `input to a text-to-image model.<|im_end|>\n<|im_start|>user\n${BEHIND}`,
  pictureTemplate:
    `${SYSTEM}editing expert, first analyze the content and attributes of the input image(s). Then, based on the ` +
    "user's editing instructions, clearly and precisely determine how to modify the given image(s), ensuring that " +
    'only the specified parts are altered and all other aspects remain consistent with the original(s).<|im_end|>\n' +
    `<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>${BEHIND}`,
  promptLength: 512,
  parts: spelledQuotations,
  crop(ids, length) {
    const behind = ids.length - ids.lastIndexOf(END_OF_TURN);
    return {
      start: Math.max(0, qwenUserTurn(ids, length).start),
      ...(behind <= ids.length && { end: -behind }),
    };
  },
};

/** What can stand around a quotation. */
const quotes = ["''", '""', '‘’', '“”'];
const quotation = new RegExp(
  `(${quotes.map(([open, close]) => `${open}[^${open}${close}]*?${close}`).join('|')})`,
  'u',
);
const inWord = /[a-zA-Z]+'[a-zA-Z]+/g;
/** Stands for an apostrophe within a word, which is no quote. */
const apostrophe = '\0';

/** A prompt in parts that are cut into tokens each on their own: text, and the letters of quotations. */
export function spelledQuotations(prompt: string): readonly string[] {
  const masked = (prompt || ' ').replace(inWord, (word) => word.replace("'", apostrophe));
  return masked.split(quotation).flatMap((masked, i) => {
    const part = masked.replaceAll(apostrophe, "'");
    if (part === '') return [];
    return i % 2 === 1 ? [...part] : [part];
  });
}

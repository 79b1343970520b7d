/** Texts joined, replaced, compared and changed: Comfyroll, Easy Use, jamesWalker55, Derfuu, Omar92. */
import { boolean, combo, int64, optional, pythonStr, string } from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';
import { LIMIT, anything, inCategory } from './define.ts';
import { matches } from './patterns.ts';

const comfyroll = inCategory('🧩 Comfyroll Studio/🛠️ Utils/🔤 Text');
const easy = inCategory('EasyUse/Prompt');
const jw = inCategory('jamesWalker55');
const derfuu = inCategory('Derfuu_Nodes/Functions/String Operations');
const omar = inCategory('O/text/operations');

const TEXT = { type: 'STRING' } as const;
const forced = (more: object = {}) => string({ ...more, forceInput: true });
const plain = (value = '') => string({ default: value, multiline: false });

const swapped = (text: string): string =>
  [...text]
    .map((char) => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase()))
    .join('');
const capital = (text: string): string => {
  const [first = '', ...rest] = text;
  return first.toUpperCase() + rest.join('').toLowerCase();
};

const OPERATIONS = {
  uppercase: (text: string) => text.toUpperCase(),
  lowercase: (text: string) => text.toLowerCase(),
  capitalize: capital,
  invert_case: swapped,
  reverse: (text: string) => [...text].reverse().join(''),
  trim: (text: string) => text.trim(),
  remove_spaces: (text: string) => text.replaceAll(' ', ''),
} as const;
const OPERATION_NAMES = Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[];

const WIKI = 'https://github.com/Suzie1/ComfyUI_Comfyroll_CustomNodes/wiki/';
const help = { type: 'STRING', name: 'show_help' };
const any = (name: string) => ({ type: '*', name });
const STRINGS = ['string_1', 'string_2', 'string_3', 'string_4'];
const boxed = () => forced({ multiline: true, default: '' });

const comfyrollNodes: readonly NodeDefinition[] = [
  comfyroll({
    name: 'CR Split String',
    displayName: '🔤 CR Split String',
    inputs: { text: plain('text'), delimiter: optional(plain(',')) },
    outputs: [...STRINGS.map(any), help],
    run({ text, delimiter = '' }) {
      if (delimiter === '') throw new RangeError('delimiter: expected a text, got an empty one');
      const parts = text.split(delimiter).map((part) => part.trim());
      return [...STRINGS.map((_, i) => parts[i] ?? ''), `${WIKI}Other-Nodes#cr-split-string`];
    },
  }),
  comfyroll({
    name: 'CR Text Blacklist',
    displayName: '🔤 CR Text Blacklist',
    inputs: {
      text: boxed(),
      blacklist_words: string({ multiline: true, default: '' }),
      replacement_text: optional(plain()),
    },
    outputs: [any('STRING'), help],
    run({ text, blacklist_words, replacement_text = '' }) {
      const words = blacklist_words.split('\n').map((line) => line.trim());
      const clean = words
        .filter((word) => word !== '')
        .reduce((out, word) => out.replaceAll(word, () => replacement_text), text);
      return [clean, `${WIKI}List-Nodes#cr-text-blacklist`];
    },
  }),
  comfyroll({
    name: 'CR Text Operation',
    displayName: '🔤 CR Text Operation',
    inputs: {
      text: forced({ multiline: false, default: '' }),
      operation: combo(OPERATION_NAMES),
    },
    outputs: [any('STRING'), help],
    run: ({ text, operation }) => [
      OPERATIONS[operation](text),
      `${WIKI}List-Nodes#cr-text_operation`,
    ],
  }),
  comfyroll({
    name: 'CR Text Length',
    displayName: '🔤 CR Text Length',
    inputs: { text: forced({ multiline: false, default: '' }) },
    outputs: [{ type: 'INT' }, help],
    run: ({ text }) => [[...text].length, `${WIKI}List-Nodes#cr-text-length`],
  }),
];

/** A list as its items between commas, anything else as its text. */
const spelled = (value: unknown): string =>
  Array.isArray(value)
    ? value.map(spelled).join(', ')
    : typeof value === 'string'
      ? value
      : pythonStr(value);

const PAIRS = ['1', '2', '3'] as const;

const easyNodes: readonly NodeDefinition[] = [
  easy({
    name: 'easy promptConcat',
    displayName: 'PromptConcat',
    inputs: {
      prompt1: optional(anything({ multiline: false, default: '', forceInput: true })),
      prompt2: optional(anything({ multiline: false, default: '', forceInput: true })),
      separator: optional(plain()),
    },
    outputs: [{ type: 'STRING', name: 'prompt' }],
    run: ({ prompt1 = '', prompt2 = '', separator = '' }) => [
      spelled(prompt1) + separator + spelled(prompt2),
    ],
  }),
  easy({
    name: 'easy promptReplace',
    displayName: 'PromptReplace',
    inputs: {
      prompt: boxed(),
      find1: optional(plain()),
      replace1: optional(plain()),
      find2: optional(plain()),
      replace2: optional(plain()),
      find3: optional(plain()),
      replace3: optional(plain()),
    },
    outputs: [{ type: 'STRING', name: 'prompt' }],
    run: ({ prompt, ...pairs }) => [
      PAIRS.map((n) => [pairs[`find${n}`] ?? '', pairs[`replace${n}`] ?? '']).reduce(
        (text, [find, by]) => (find === '' ? text : text.replaceAll(find, () => by)),
        prompt,
      ),
    ],
  }),
  inCategory('EasyUse/Logic/Math')({
    name: 'easy mathString',
    displayName: 'Math String',
    inputs: {
      a: string({ multiline: false }),
      b: string({ multiline: false }),
      operation: combo([
        ...(['a == b', 'a != b', 'a IN b', 'a MATCH REGEX(b)'] as const),
        ...(['a BEGINSWITH b', 'a ENDSWITH b'] as const),
      ]),
      case_sensitive: boolean({ default: true }),
    },
    outputs: [{ type: 'BOOLEAN', name: 'BOOLEAN' }],
    run({ a, b, operation, case_sensitive }) {
      const [left, right] = case_sensitive ? [a, b] : [a.toLowerCase(), b.toLowerCase()];
      return [COMPARED[operation](left, right)];
    },
  }),
];

const COMPARED = {
  'a == b': (a: string, b: string) => a === b,
  'a != b': (a: string, b: string) => a !== b,
  'a IN b': (a: string, b: string) => b.includes(a),
  'a MATCH REGEX(b)': (a: string, b: string) => matches(b, a, true),
  'a BEGINSWITH b': (a: string, b: string) => a.startsWith(b),
  'a ENDSWITH b': (a: string, b: string) => a.endsWith(b),
} as const;

const line = (value = '') => string({ default: value, multiline: false, dynamicPrompts: false });
const field = (value = '') =>
  string({ default: value, multiline: false, forceInput: false, dynamicPrompts: false });

const smallNodes: readonly NodeDefinition[] = [
  jw({
    name: 'JWStringConcat',
    displayName: 'String Concatenate',
    inputs: { a: line(), b: line() },
    outputs: [TEXT],
    run: ({ a, b }) => [a + b],
  }),
  jw({
    name: 'JWStringReplace',
    displayName: 'String Replace',
    inputs: { source: line(), to_replace: line(), replace_with: line() },
    outputs: [TEXT],
    run: ({ source, to_replace, replace_with }) => [
      to_replace === '' ? source : source.replaceAll(to_replace, () => replace_with),
    ],
  }),
  jw({
    name: 'JWStringGetLine',
    displayName: 'String Get Line',
    inputs: { source: line(), line_index: int64({ default: 0, min: -LIMIT, max: LIMIT }) },
    outputs: [TEXT],
    run({ source, line_index }) {
      const lines = source.split(/\r\n|\n|\r/);
      const found = lines.at(Number(line_index));
      if (found !== undefined) return [found];
      throw new RangeError(`line_index: expected one of ${lines.length} lines, got ${line_index}`);
    },
  }),
  derfuu({
    name: 'DF_String_Concatenate',
    displayName: 'String Concatenate',
    inputs: { Prepend: field(), Append: field(), Delimiter: field(', ') },
    outputs: [{ type: 'STRING', name: 'TEXT' }],
    run: ({ Prepend, Append, Delimiter }) => [Prepend + Delimiter + Append],
  }),
  omar({
    name: 'Concat Text _O',
    inputs: {
      text1: string({ multiline: true, defaultBehavior: 'input' }),
      text2: string({ multiline: true, defaultBehavior: 'input' }),
      separator: string({ multiline: false, default: ',' }),
    },
    outputs: [TEXT],
    run: ({ text1, text2, separator }) => [text1 + separator + text2],
  }),
  omar({
    name: 'Trim Text _O',
    inputs: { text: string({ multiline: false, defaultBehavior: 'input' }) },
    outputs: [TEXT],
    run: ({ text }) => [text.trim()],
  }),
  omar({
    name: 'Replace Text _O',
    inputs: {
      text: string({ multiline: true, defaultBehavior: 'input' }),
      old: string({ multiline: false }),
      new: string({ multiline: false }),
    },
    outputs: [TEXT],
    run: ({ text, old, new: by }) => [old === '' ? text : text.replaceAll(old, () => by)],
  }),
];

export const textEditNodes: readonly NodeDefinition[] = [
  ...comfyrollNodes,
  ...easyNodes,
  ...smallNodes,
];

/** Text: KJNodes, pysssss, Impact Pack, WAS, Comfyroll. */
import { boolean, combo, int64, optional, pythonStr, socket, string } from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';
import { anything, inCategory, numbered } from './define.ts';
import { replacePattern } from './patterns.ts';
import { countedReplacements } from './shared-inputs.ts';

const kj = inCategory('KJNodes/text');
const impact = inCategory('ImpactPack/Util');
const was = inCategory('WAS Suite/Text');
const comfyroll = inCategory('🧩 Comfyroll Studio/🛠️ Utils/🔤 Text');

const forced = (options: object = {}) => string({ ...options, forceInput: true });

const kjNodes: readonly NodeDefinition[] = [
  kj({
    name: 'JoinStrings',
    displayName: 'Join Strings',
    inputs: {
      delimiter: string({ default: ' ', multiline: false }),
      string1: optional(forced({ default: '' })),
      string2: optional(forced({ default: '' })),
    },
    outputs: [{ type: 'STRING' }],
    run: ({ delimiter, string1 = '', string2 = '' }) => [string1 + delimiter + string2],
  }),
  kj({
    name: 'JoinStringMulti',
    displayName: 'Join String Multi',
    inputs: {
      inputcount: int64({ default: 2, min: 2, max: 1000, step: 1 }),
      string_1: forced({ default: '' }),
      delimiter: string({ default: ' ', multiline: false }),
      return_list: boolean({ default: false }),
      string_2: optional(forced({ default: '' })),
    },
    acceptAllInputs: true,
    outputs: [{ type: 'STRING', name: 'string' }],
    run({ inputcount, string_1, delimiter, return_list, ...rest }) {
      const others = numbered(rest, 'string_');
      const texts = [string_1];
      for (let i = 2; i <= Number(inputcount); i++) {
        const text = others.get(i);
        if (typeof text === 'string' && text !== '') texts.push(text);
      }
      return [return_list ? texts : texts.join(delimiter)];
    },
  }),
  kj({
    name: 'SomethingToString',
    displayName: 'Something To String',
    inputs: {
      input: anything(),
      prefix: optional(string({ default: '' })),
      suffix: optional(string({ default: '' })),
    },
    outputs: [{ type: 'STRING' }],
    run({ input, prefix = '', suffix = '' }) {
      if (Array.isArray(input)) return [prefix + input.map(textOf).join(', ') + suffix];
      if (typeof input === 'object' || input === undefined) return [input];
      return [prefix + textOf(input) + suffix];
    },
  }),
];

const textOf = (value: unknown): string => (typeof value === 'string' ? value : pythonStr(value));

/** Spaces and commas as tags like them: one space, none before a comma, one comma. */
const tidied = (text: string): string =>
  text
    .replace(/\s{2,}/g, ' ')
    .replaceAll(' ,', ',')
    .replace(/,{2,}/g, ',')
    .trim();

const multiline = () => optional(string({ multiline: true, dynamicPrompts: false }));

const pysssssNodes: readonly NodeDefinition[] = [
  /** `replace` puts text_c in place of text_b, which is a pattern when it is written `/…/`. */
  inCategory('utils')({
    name: 'StringFunction|pysssss',
    displayName: 'String Function 🐍',
    inputs: {
      action: combo(['append', 'replace'] as const, {}),
      tidy_tags: combo(['yes', 'no'] as const, {}),
      text_a: multiline(),
      text_b: multiline(),
      text_c: multiline(),
    },
    outputs: [{ type: 'STRING' }],
    outputNode: true,
    run({ action, tidy_tags, text_a = '', text_b = '', text_c = '' }) {
      const tidy = tidy_tags === 'yes';
      const joined = (): string =>
        [text_a, text_b, text_c].filter((text) => text !== '').join(tidy ? ', ' : '');
      const replaced = (): string =>
        text_b.length > 1 && text_b.startsWith('/') && text_b.endsWith('/')
          ? replacePattern(text_b.slice(1, -1), text_c, text_a)[0]
          : text_a.replaceAll(text_b, () => text_c);
      const out = action === 'append' ? joined() : replaced();
      const text = tidy ? tidied(out) : out;
      return { ui: { text: [text] }, result: [text] };
    },
  }),
  inCategory('utils')({
    name: 'ShowText|pysssss',
    displayName: 'Show Text 🐍',
    inputs: { text: forced() },
    inputIsList: true,
    outputs: [{ type: 'STRING', list: true }],
    outputNode: true,
    run: ({ text }) => ({ ui: { text }, result: [text] }),
  }),
];

const impactNodes: readonly NodeDefinition[] = [
  impact({
    name: 'ImpactStringSelector',
    displayName: 'String Selector',
    inputs: {
      strings: string({ multiline: true }),
      multiline: boolean({ default: false, label_on: 'enabled', label_off: 'disabled' }),
      select: int64({ min: 0, max: 2n ** 63n - 1n, step: 1, default: 0 }),
    },
    outputs: [{ type: 'STRING' }],
    run({ strings, multiline, select }) {
      const parts = multiline ? sections(strings) : strings.split('\n');
      const text = parts[Number(BigInt(select) % BigInt(parts.length))];
      return [multiline && text.startsWith('#') ? text.slice(1) : text];
    },
  }),
  impact({
    name: 'StringListToString',
    displayName: 'String List to String',
    inputs: { join_with: string({ default: '\\n' }), string_list: forced() },
    inputIsList: true,
    outputs: [{ type: 'STRING' }],
    run: ({ join_with: [between], string_list }) => [
      string_list.join(between === '\\n' ? '\n' : between),
    ],
  }),
];

/** A text cut before every line that begins with `#`. */
const sections = (text: string): string[] => {
  const parts = text.split(/\n(?=#)/).map((part) => part.trim());
  return parts.length > 1 && parts[0] === '' && !text.startsWith('#') ? parts.slice(1) : parts;
};

/** Lines that are no comments. */
const withoutComments = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.trim().startsWith('#'))
    .join('\n')
    .replace(/\n$/, '');

const plain = () => string({ default: '', multiline: false });

const wasNodes: readonly NodeDefinition[] = [
  was({
    name: 'Text Concatenate',
    inputs: {
      delimiter: string({ default: ', ' }),
      clean_whitespace: combo(['true', 'false'] as const),
      text_a: optional(forced()),
      text_b: optional(forced()),
      text_c: optional(forced()),
      text_d: optional(forced()),
    },
    acceptAllInputs: true,
    outputs: [{ type: 'STRING' }],
    run({ delimiter, clean_whitespace, ...texts }) {
      const parts = Object.keys(texts)
        .sort()
        .map((name) => (texts as Record<string, unknown>)[name])
        .filter((text) => typeof text === 'string')
        .map((text) => (clean_whitespace === 'true' ? text.trim() : text));
      const between = delimiter === '\\n' ? '\n' : delimiter;
      return [parts.filter((text) => text !== '').join(between)];
    },
  }),
  was({
    name: 'Text Multiline',
    inputs: { text: string({ default: '', multiline: true, dynamicPrompts: true }) },
    outputs: [{ type: 'STRING' }],
    run: ({ text }) => [withoutComments(text)],
  }),
  was({
    name: 'Text String',
    inputs: {
      text: plain(),
      text_b: optional(plain()),
      text_c: optional(plain()),
      text_d: optional(plain()),
    },
    outputs: ['TEXT', 'TEXT_B', 'TEXT_C', 'TEXT_D'].map((name) => ({ type: 'STRING', name })),
    run: ({ text, text_b = '', text_c = '', text_d = '' }) => [text, text_b, text_c, text_d],
  }),
  inCategory('WAS Suite/Text/Search')({
    name: 'Text Find and Replace',
    inputs: { text: forced(), find: plain(), replace: plain() },
    outputs: countedReplacements,
    run({ text, find, replace }) {
      const [result, count] = replacePattern(find, replace, text);
      return [result, count, count, count];
    },
  }),
  inCategory('WAS Suite/Number/Operations')({
    name: 'Number to Int',
    inputs: { number: socket<number>('NUMBER', undefined, 'value') },
    outputs: [{ type: 'INT' }],
    run: ({ number }) => [Math.trunc(Number(number))],
  }),
  inCategory('WAS Suite/Number/Operations')({
    name: 'Number to Float',
    inputs: { number: socket<number>('NUMBER', undefined, 'value') },
    outputs: [{ type: 'FLOAT' }],
    run: ({ number }) => [Number(number)],
  }),
];

const HELP = 'https://github.com/Suzie1/ComfyUI_Comfyroll_CustomNodes/wiki/';
const crOutputs = (name: string) => [
  { type: '*', name },
  { type: 'STRING', name: 'show_help' },
];

const comfyrollNodes: readonly NodeDefinition[] = [
  comfyroll({
    name: 'CR Text',
    displayName: '🔤 CR Text',
    inputs: { text: string({ default: '', multiline: true }) },
    outputs: crOutputs('text'),
    run: ({ text }) => [text, `${HELP}Other-Nodes#cr-text`],
  }),
  comfyroll({
    name: 'CR Text Concatenate',
    displayName: '🔤 CR Text Concatenate',
    inputs: {
      text1: optional(forced({ multiline: false, default: '' })),
      text2: optional(forced({ multiline: false, default: '' })),
      separator: optional(plain()),
    },
    outputs: crOutputs('STRING'),
    run: ({ text1 = '', text2 = '', separator = '' }) => [
      text1 + separator + text2,
      `${HELP}List-Nodes#cr-save-text-to-file`,
    ],
  }),
  comfyroll({
    name: 'CR Text Replace',
    displayName: '🔤 CR Text Replace',
    inputs: {
      text: forced({ multiline: true, default: '' }),
      find1: optional(plain()),
      replace1: optional(plain()),
      find2: optional(plain()),
      replace2: optional(plain()),
      find3: optional(plain()),
      replace3: optional(plain()),
    },
    outputs: crOutputs('STRING'),
    run({ text, find1, replace1, find2, replace2, find3, replace3 }) {
      const pairs = [
        [find1, replace1],
        [find2, replace2],
        [find3, replace3],
      ];
      const result = pairs.reduce(
        (out, [find = '', by = '']) =>
          by === '' && find === '' ? out : out.replaceAll(find, () => by),
        text,
      );
      return [result, `${HELP}List-Nodes#cr-text-replace`];
    },
  }),
];

export const textNodes: readonly NodeDefinition[] = [
  ...kjNodes,
  ...pysssssNodes,
  ...impactNodes,
  ...wasNodes,
  ...comfyrollNodes,
];

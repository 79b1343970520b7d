/** WAS Suite's texts: drawn, sorted, cut, compared, listed; and its tokens. */
import {
  boolean,
  clip,
  combo,
  int,
  int64,
  optional,
  pythonRandom,
  socket,
  string,
} from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';
import { LIMIT, inCategory } from './define.ts';
import { matches } from './patterns.ts';
import { countedReplacements } from './shared-inputs.ts';
import { withTime } from './time-tokens.ts';

const was = inCategory('WAS Suite/Text');
const operations = inCategory('WAS Suite/Text/Operations');
const search = inCategory('WAS Suite/Text/Search');
const tokens = inCategory('WAS Suite/Text/Tokens');

const TEXT = { type: 'STRING' } as const;
const forced = (more: object = {}) => string({ ...more, forceInput: true });
const plain = (value = '') => string({ default: value, multiline: false });
const seed = () => int64({ default: 0, min: 0, max: LIMIT });

/** Most replacements of a text that grows by them. */
const MOST = 10_000;

/** Replaces one by one until nothing is found; what brings itself back is replaced once each. */
function replacedWhileFound(text: string, find: string, by: string): [string, number] {
  if (find === '') return [text, 0];
  if (by.includes(find)) return [text.replaceAll(find, () => by), text.split(find).length - 1];
  let [result, count] = [text, 0];
  while (result.includes(find)) {
    if (++count > MOST) throw new RangeError(`find: expected at most ${MOST} replacements`);
    result = result.replace(find, () => by);
  }
  return [result, count];
}

/** Parts at separators that are not inside brackets, without the spaces around them. */
function groups(text: string, separator: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const char of text) {
    depth += Number(char === '(') - Number(char === ')');
    if (char === separator && depth <= 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts.map((part) => part.trim());
}

/** What tags are sorted by: without their brackets. */
const bare = (tag: string): string =>
  tag.replace(/\\\(|\(/g, (bracket) => (bracket === '(' ? '' : '(')).trim();

const byCodes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The first or last of a text's characters or words; from the other end when negative. */
function truncated(text: string, by: string, from: string, count: number): string {
  const parts = by === 'words' ? text.split(/\s+/).filter((word) => word !== '') : [...text];
  const cut = (): string[] => {
    if (from === 'beginning') return count >= 0 ? parts.slice(0, count) : parts.slice(count);
    return count >= 0 ? parts.slice(-count) : parts.slice(0, count);
  };
  return cut().join(by === 'words' ? ' ' : '');
}

const LETTERS = ['text_a', 'text_b', 'text_c', 'text_d', 'text_e', 'text_f', 'text_g'] as const;
const LISTS = ['list_a', 'list_b', 'list_c', 'list_d'] as const;
const given = <K extends string, T>(names: readonly K[], spec: () => T): Record<K, T> =>
  Object.fromEntries(names.map((name) => [name, spec()])) as Record<K, T>;

const wasNodes: readonly NodeDefinition[] = [
  was({
    name: 'Text Random Line',
    inputs: { text: forced(), seed: seed() },
    outputs: [TEXT],
    run: ({ text, seed }) => [pythonRandom(seed).choice(text.split('\n'))],
  }),
  operations({
    name: 'Text Shuffle',
    inputs: { text: forced(), separator: plain(','), seed: seed() },
    outputs: [TEXT],
    run: ({ text, separator, seed }) => [
      pythonRandom(seed).shuffled(text.split(separator)).join(separator),
    ],
  }),
  operations({
    name: 'Text Sort',
    inputs: { text: forced(), separator: plain(', ') },
    outputs: [TEXT],
    run({ text, separator }) {
      const edge = new Set([...separator, ' ', '\t', '\n', '\r']);
      const letters = [...text];
      const first = letters.findIndex((char) => !edge.has(char));
      const last = letters.findLastIndex((char) => !edge.has(char));
      const tags = groups(letters.slice(Math.max(0, first), last + 1).join(''), separator.trim());
      return [tags.sort((a, b) => byCodes(bare(a), bare(b))).join(separator)];
    },
  }),
  operations({
    name: 'Text String Truncate',
    inputs: {
      text: forced(),
      truncate_by: combo(['characters', 'words'] as const),
      truncate_from: combo(['end', 'beginning'] as const),
      truncate_to: int({ default: 10, min: -99999999, max: 99999999, step: 1 }),
      text_b: optional(forced()),
      text_c: optional(forced()),
      text_d: optional(forced()),
    },
    outputs: ['TEXT', 'TEXT_B', 'TEXT_C', 'TEXT_D'].map((name) => ({ type: 'STRING', name })),
    run: ({ text, truncate_by, truncate_from, truncate_to, text_b, text_c, text_d }) =>
      [text, text_b, text_c, text_d].map((each) =>
        truncated(each ?? '', truncate_by, truncate_from, truncate_to),
      ),
  }),
  was({
    name: 'Text List',
    inputs: given(LETTERS, () => optional(forced())),
    outputs: [{ type: 'LIST' }],
    run: (texts) => [LETTERS.map((name) => texts[name]).filter((text) => typeof text === 'string')],
  }),
  was({
    name: 'Text List to Text',
    inputs: {
      delimiter: string({ default: ', ' }),
      text_list: socket<readonly string[]>('LIST', { forceInput: true }, 'list'),
    },
    outputs: [TEXT],
    run: ({ delimiter, text_list }) => [text_list.join(delimiter === '\\n' ? '\n' : delimiter)],
  }),
  was({
    name: 'Text List Concatenate',
    inputs: given(LISTS, () => optional(socket<unknown>('LIST', { forceInput: true }))),
    outputs: [{ type: 'LIST' }],
    run: (lists) => [
      LISTS.map((name) => lists[name])
        .filter(Array.isArray)
        .flat(),
    ],
  }),
  inCategory('WAS Suite/Logic')({
    name: 'Text Contains',
    inputs: {
      text: plain(),
      sub_text: plain(),
      case_insensitive: optional(boolean({ default: true })),
    },
    outputs: [{ type: 'BOOLEAN' }],
    run({ text, sub_text, case_insensitive = true }) {
      if (!case_insensitive) return [text.includes(sub_text)];
      return [text.toLowerCase().includes(sub_text.toLowerCase())];
    },
  }),
  search({
    name: 'Text Find',
    inputs: { text: forced(), substring: plain(), pattern: plain() },
    outputs: [{ type: 'BOOLEAN', name: 'found' }],
    run: ({ text, substring, pattern }) => [
      substring === '' ? matches(pattern, text) : text.includes(substring),
    ],
  }),
  search({
    name: 'Text Find and Replace Input',
    inputs: { text: forced(), find: forced(), replace: forced() },
    outputs: countedReplacements,
    run({ text, find, replace }) {
      const [result, count] = replacedWhileFound(text, find, replace);
      return [result, count, count, count];
    },
  }),
  inCategory('WAS Suite/Debug')({
    name: 'Text to Console',
    inputs: { text: forced(), label: plain('Text Output') },
    outputs: [TEXT],
    outputNode: true,
    run: ({ text, label }) => ({ ui: { text: [`${label}: ${text}`] }, result: [text] }),
  }),
  operations({
    name: 'Text to Conditioning',
    inputs: { clip: clip({ rawLink: true }), text: forced() },
    outputs: [{ type: 'CONDITIONING' }],
    run({ clip, text }, context) {
      const graph = context.newGraph();
      const encoded = graph.node('CLIPTextEncode', { clip, text });
      return { result: [encoded.out(0)], expand: graph.finalize() };
    },
  }),
  operations({
    name: 'Text to String',
    inputs: { text: forced() },
    outputs: [TEXT],
    run: ({ text }) => [text],
  }),
  operations({
    name: 'String to Text',
    inputs: { string: string({}) },
    outputs: [TEXT],
    run: ({ string }) => [string],
  }),
];

/** What texts of this process are given in place of tokens; the oldest go when there are too many. */
const customTokens = new Map<string, string>();
const MOST_TOKENS = 1000;

function addToken(name: string, value: string): void {
  if (name === '') throw new RangeError('token_name: expected a name, got an empty text');
  customTokens.delete(name);
  customTokens.set(name, value);
  const [oldest] = customTokens.keys();
  if (customTokens.size > MOST_TOKENS) customTokens.delete(oldest);
}

const withTokens = (text: string): string => {
  const known = [...customTokens];
  return withTime(known.reduce((now, [name, value]) => now.replaceAll(name, () => value), text));
};

const shown = () => combo(['false', 'true'] as const);

const tokenNodes: readonly NodeDefinition[] = [
  tokens({
    name: 'Text Parse Tokens',
    inputs: { text: forced() },
    outputs: [TEXT],
    isChanged: () => NaN,
    run: ({ text }) => [withTokens(text)],
  }),
  was({
    name: 'Text Multiline (Code Compatible)',
    inputs: { text: string({ default: '', multiline: true, dynamicPrompts: false }) },
    outputs: [TEXT],
    run: ({ text }) => [withTokens(text)],
  }),
  tokens({
    name: 'Text Add Token by Input',
    inputs: { token_name: forced(), token_value: forced(), print_current_tokens: shown() },
    outputs: [],
    outputNode: true,
    isChanged: () => NaN,
    run({ token_name, token_value }) {
      addToken(token_name, token_value);
      return [];
    },
  }),
  tokens({
    name: 'Text Add Tokens',
    inputs: {
      tokens: string({ default: '[hello]: world', multiline: true }),
      print_current_tokens: shown(),
    },
    outputs: [],
    outputNode: true,
    isChanged: () => NaN,
    run({ tokens }) {
      for (const line of tokens.split('\n').filter((each) => each.trim() !== '')) {
        const [name, value = ''] = line.split(':');
        addToken(name.trim(), value.trim());
      }
      return [];
    },
  }),
];

export const wasTextNodes: readonly NodeDefinition[] = [...wasNodes, ...tokenNodes];

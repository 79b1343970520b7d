/** Texts cut, joined, compared and searched, with Python's meaning of every word. */
import {
  autogrow,
  boolean,
  combo,
  inModule,
  keepFloats,
  int,
  optional,
  pythonStr,
  socket,
  string,
} from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { PythonError } from '../engine/python/error.ts';
import { format } from '../engine/python/format.ts';
import { isPlain } from '../engine/python/plain.ts';
import { RegexError, compileRegex, findAll, substitute } from '../engine/python/regex.ts';
import type { PythonRegex } from '../engine/python/regex.ts';
import { withinTime } from '../engine/python/time-limit.ts';
import { capitalize, length, replaceAll, slice, strip, title } from '../engine/python/string.ts';
import { parseJson, stringifyJson } from '../engine/workflow/lossless-json.ts';
import type { Json } from '../engine/workflow/lossless-json.ts';

const defineString = inModule('comfy_extras.nodes_string', 'v3', {
  category: 'utils/string',
  outputs: [{ type: 'STRING' }],
});

const text = () => string({ multiline: true });

/** What the three regex nodes share; the flags are required in two of them, optional in one. */
const caseInsensitive = () => boolean({ default: true });
const flag = () => boolean({ default: false });

export const stringConcatenate = defineString({
  name: 'StringConcatenate',
  displayName: 'Concatenate',
  inputs: {
    string_a: text(),
    string_b: text(),
    delimiter: string({ default: '', multiline: false }),
  },
  run: ({ string_a: a, string_b: b, delimiter }) => [a + delimiter + b],
});

export const stringSubstring = defineString({
  name: 'StringSubstring',
  displayName: 'Substring',
  inputs: { string: text(), start: int(), end: int() },
  run: (inputs) => [slice(inputs.string, inputs.start, inputs.end)],
});

export const stringLength = defineString({
  name: 'StringLength',
  displayName: 'Length',
  inputs: { string: text() },
  outputs: [{ type: 'INT', name: 'length' }],
  run: (inputs) => [length(inputs.string)],
});

const CASES: Readonly<Record<string, (value: string) => string>> = {
  UPPERCASE: (value) => value.toUpperCase(),
  lowercase: (value) => value.toLowerCase(),
  Capitalize: capitalize,
  'Title Case': title,
};

export const caseConverter = defineString({
  name: 'CaseConverter',
  displayName: 'Case Converter',
  inputs: { string: text(), mode: combo(Object.keys(CASES)) },
  // A choice that does not exist leaves the text alone.
  run: ({ string: value, mode }) => [Object.hasOwn(CASES, mode) ? CASES[mode](value) : value],
});

const SIDES: Readonly<Record<string, 'both' | 'left' | 'right'>> = {
  Both: 'both',
  Left: 'left',
  Right: 'right',
};

export const stringTrim = defineString({
  name: 'StringTrim',
  displayName: 'Trim',
  inputs: { string: text(), mode: combo(Object.keys(SIDES)) },
  run: ({ string: value, mode }) => [
    Object.hasOwn(SIDES, mode) ? strip(value, SIDES[mode]) : value,
  ],
});

export const stringReplace = defineString({
  name: 'StringReplace',
  displayName: 'Replace',
  inputs: { string: text(), find: text(), replace: text() },
  run: (inputs) => [replaceAll(inputs.string, inputs.find, inputs.replace)],
});

export const stringContains = defineString({
  name: 'StringContains',
  displayName: 'Contains',
  inputs: { string: text(), substring: text(), case_sensitive: boolean({ default: true }) },
  outputs: [{ type: 'BOOLEAN', name: 'contains' }],
  run: ({ string: value, substring, case_sensitive: exact }) => [
    folded(value, exact).includes(folded(substring, exact)),
  ],
});

export const stringCompare = defineString({
  name: 'StringCompare',
  displayName: 'Compare',
  inputs: {
    string_a: text(),
    string_b: text(),
    mode: combo(['Starts With', 'Ends With', 'Equal']),
    case_sensitive: boolean({ default: true }),
  },
  outputs: [{ type: 'BOOLEAN' }],
  run: ({ string_a: a, string_b: b, mode, case_sensitive: exact }) => {
    const [left, right] = [folded(a, exact), folded(b, exact)];
    if (mode === 'Starts With') return [left.startsWith(right)];
    return [mode === 'Ends With' ? left.endsWith(right) : left === right];
  },
});

const folded = (value: string, exact: boolean): string => (exact ? value : value.toLowerCase());

export const regexMatch = defineString({
  name: 'RegexMatch',
  displayName: 'Regex Match',
  inputs: {
    string: text(),
    regex_pattern: text(),
    case_insensitive: caseInsensitive(),
    multiline: flag(),
    dotall: flag(),
  },
  outputs: [{ type: 'BOOLEAN', name: 'matches' }],
  // A bad pattern matches nothing.
  run: (inputs) => [forgiving(() => !findAll(compiled(inputs), inputs.string).next().done, false)],
});

export const regexExtract = defineString({
  name: 'RegexExtract',
  displayName: 'Regex Extract',
  inputs: {
    string: text(),
    regex_pattern: text(),
    mode: combo(['First Match', 'All Matches', 'First Group', 'All Groups']),
    case_insensitive: caseInsensitive(),
    multiline: flag(),
    dotall: flag(),
    group_index: int({ default: 1, min: 0, max: 100 }),
  },
  run: (inputs) => [
    forgiving(() => extract(compiled(inputs), inputs.string, inputs.mode, inputs.group_index), ''),
  ],
});

/** One text; matches are joined by newlines. A group that took no part in a first match is None. */
function extract(regex: PythonRegex, value: string, mode: string, index: number): string | null {
  const { groups } = regex;
  const matches = [...findAll(regex, value)] as (string | undefined)[][];
  switch (mode) {
    case 'First Match':
      return matches[0]?.[0] ?? '';
    case 'All Matches':
      // findall: the whole match, or the first group where there are groups.
      return matches.map((match) => match[groups > 0 ? 1 : 0] ?? '').join('\n');
    case 'First Group':
      return matches.length > 0 && groups >= index ? (matches[0][index] ?? null) : '';
    case 'All Groups':
      if (groups === 0 || groups < index) return '';
      return matches.map((match, i) => match[index] ?? noText(i)).join('\n');
    default:
      return '';
  }
}

/** Python cannot join None. */
function noText(at: number): never {
  throw new TypeError(`sequence item ${at}: expected str instance, NoneType found`);
}

export const regexReplace = defineString({
  name: 'RegexReplace',
  displayName: 'Regex Replace',
  description: 'Find and replace text using regex patterns.',
  inputs: {
    string: text(),
    regex_pattern: text(),
    replace: text(),
    case_insensitive: optional(caseInsensitive()),
    multiline: optional(flag()),
    dotall: optional(flag()),
    count: optional(int({ default: 0, min: 0, max: 100 })),
  },
  run: (inputs) => [
    matching(() => substitute(compiled(inputs), inputs.replace, inputs.string, inputs.count)),
  ],
});

interface RegexInputs {
  readonly regex_pattern: string;
  readonly case_insensitive?: boolean;
  readonly multiline?: boolean;
  readonly dotall?: boolean;
}

const compiled = (inputs: RegexInputs): PythonRegex =>
  compileRegex(inputs.regex_pattern, {
    ignoreCase: inputs.case_insensitive ?? true,
    multiline: inputs.multiline ?? false,
    dotAll: inputs.dotall ?? false,
  });

/** Seconds; some patterns take longer than anybody lives on some texts. */
const LONGEST_MATCHING = 5;

const matching = <T>(run: () => T): T =>
  withinTime('matching this pattern against this text', LONGEST_MATCHING, run);

function forgiving<T>(run: () => T, otherwise: T): T {
  try {
    return matching(run);
  } catch (error) {
    if (error instanceof RegexError) return otherwise;
    throw error;
  }
}

/** ComfyUI 0.33 moved these nodes to a category of their own. */
const defineText = inModule('comfy_extras.nodes_string', 'v3', {
  category: 'text',
  outputs: [{ type: 'STRING' }],
});

export const stringFormat = defineText({
  name: 'StringFormat',
  displayName: 'Format Text',
  description: "Python's str.format: {a}, {b:.2f}, {c!r} … stand for the values.",
  inputs: {
    values: autogrow(['value', keepFloats(socket('*', {}))], [...'abcdefghijklmnopqrstuvwxyz'], {
      min: 0,
    }),
    f_string: string({ default: '{a}', multiline: true }),
  },
  run: ({ values, f_string }) => [format(f_string, values)],
});

export const jsonExtractString = defineText({
  name: 'JsonExtractString',
  displayName: 'Extract Text from JSON',
  inputs: { json_string: text(), key: string({ multiline: false }) },
  run: ({ json_string, key }) => [member(json_string, key)],
});

/** The member of a JSON object as Python prints it; nothing where there is no such thing. */
function member(json: string, key: string): string {
  let data: Json;
  try {
    data = parseJson(json);
  } catch {
    return '';
  }
  if (data === null || typeof data !== 'object' || Array.isArray(data)) return '';
  const value = Object.hasOwn(data, key) ? (data as Record<string, Json>)[key] : null;
  return value === null ? '' : pythonStr(value);
}

const indent = () => int({ default: 2, min: 0, max: 8 });

/** json.dumps without escapes; 0 writes one line. */
function dumpJson(value: unknown, spaces: number): string {
  if (!isPlain(value)) throw new PythonError('TypeError', 'the value is not JSON serializable');
  return stringifyJson(value, { ascii: false, indent: spaces === 0 ? undefined : spaces });
}

export const convertDictionaryToString = defineText({
  name: 'ConvertDictionaryToString',
  displayName: 'Convert Dictionary to String',
  inputs: { dictionary: socket('DICT', {}), indent: indent() },
  run: ({ dictionary, indent }) => [dumpJson(dictionary, indent)],
});

export const convertArrayToString = defineText({
  name: 'ConvertArrayToString',
  displayName: 'Convert Array to String',
  inputs: { array: socket('ARRAY', {}), indent: indent() },
  run: ({ array, indent }) => [dumpJson(array, indent)],
});

export const stringNodes: readonly NodeDefinition[] = [
  stringConcatenate,
  stringSubstring,
  stringLength,
  caseConverter,
  stringTrim,
  stringReplace,
  stringContains,
  stringCompare,
  regexMatch,
  regexExtract,
  regexReplace,
  stringFormat,
  jsonExtractString,
  convertDictionaryToString,
  convertArrayToString,
];

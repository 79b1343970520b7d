/**
 * Python's `re` on JavaScript's engine: patterns are rewritten (Unicode classes, anchors, group
 * names, quantifiers), templates are expanded by Python's rules. What JavaScript cannot do (atomic
 * and conditional groups, scoped flags) is an error that says so.
 */

/** `re.error`. */
export class RegexError extends Error {
  readonly pythonType = 're.error';

  constructor(message: string) {
    super(message);
    this.name = 'error';
  }
}

export interface RegexFlags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

export interface PythonRegex {
  /** Global; groups are numbered, never named. */
  readonly regex: RegExp;
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
}

const WORD = '\\p{L}\\p{N}_';
const SPACE = '\\p{White_Space}\\x1c-\\x1f';

/** `\d`, `\w`, `\s` and their opposites; usable inside and outside of classes (v flag). */
const CLASSES: Readonly<Record<string, string>> = {
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  w: `[${WORD}]`,
  W: `[^${WORD}]`,
  s: `[${SPACE}]`,
  S: `[^${SPACE}]`,
};

const CONTROLS: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};

const BOUNDARY = `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`;

/** Compiles a Python pattern. Throws RegexError for bad patterns and unsupported constructs. */
export function compileRegex(pattern: string, flags: RegexFlags): PythonRegex {
  const translation = translate(pattern, flags);
  try {
    const jsFlags = translation.flags.ignoreCase ? 'giv' : 'gv';
    const regex = new RegExp(translation.source, jsFlags);
    return { regex, groups: translation.groups, names: translation.names };
  } catch (cause) {
    throw new RegexError((cause as Error).message);
  }
}

/**
 * All matches from left to right. V8 looks around inside surrogate pairs too (`\B`, `(?!a)`), where
 * Python has no position; those are left out.
 */
export function* findAll({ regex }: PythonRegex, text: string): Generator<RegExpExecArray> {
  for (const match of text.matchAll(regex)) {
    const inside =
      /[\udc00-\udfff]/.test(text.charAt(match.index)) &&
      /[\ud800-\udbff]/.test(text.charAt(match.index - 1));
    if (!inside) yield match;
  }
}

/** re.sub: `count` 0 replaces all. */
export function substitute(
  compiled: PythonRegex,
  template: string,
  text: string,
  count = 0,
): string {
  const expand = readTemplate(template, compiled);
  let done = 0;
  let end = 0;
  let result = '';
  for (const match of findAll(compiled, text)) {
    if (count > 0 && done === count) break;
    result += text.slice(end, match.index) + expand(match);
    end = match.index + match[0].length;
    done++;
  }
  return result + text.slice(end);
}

interface Translation {
  readonly source: string;
  readonly flags: RegexFlags;
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
}

function translate(pattern: string, given: RegexFlags): Translation {
  let flags = given;
  const chars = [...pattern];
  const names = new Map<string, number>();
  const pieces: string[] = [];
  let groups = 0;
  let at = 0;

  const fail = (reason: string): never => {
    throw new RegexError(`${reason} at position ${at}`);
  };
  const rest = (): string => chars.slice(at, at + 40).join('');

  /** A character escape, shared by classes; undefined when the letter is none. */
  const escapedChar = (): string | undefined => {
    const c = chars[at];
    const hex = { x: 2, u: 4, U: 8 }[c];
    if (hex !== undefined) {
      const digits = chars.slice(at + 1, at + 1 + hex).join('');
      if (!new RegExp(`^[0-9a-fA-F]{${hex}}$`).test(digits)) fail(`incomplete escape \\${c}`);
      at += 1 + hex;
      const code = parseInt(digits, 16);
      return code > 0x10ffff ? fail('bad escape') : String.fromCodePoint(code);
    }
    if (c === undefined) return fail('bad escape (end of pattern)');
    const octal = /^(?:0[0-7]{0,2}|[0-3][0-7]{2})/.exec(rest())?.[0];
    if (octal !== undefined) {
      at += octal.length;
      return String.fromCharCode(parseInt(octal, 8));
    }
    if (/[A-Za-z0-9]/.test(c)) {
      if (!Object.hasOwn(CONTROLS, c)) return undefined;
      at++;
      return CONTROLS[c];
    }
    at++;
    return c;
  };

  const escape = (): string => {
    const c = chars[at];
    if (c === 'A') return (at++, '^');
    if (c === 'Z') return (at++, '$');
    if (c === 'b') return (at++, BOUNDARY);
    if (c === 'B') return (at++, `(?!${BOUNDARY})`);
    if (c !== undefined && Object.hasOwn(CLASSES, c)) return (at++, CLASSES[c]);
    if (/[1-9]/.test(c ?? '') && !/^[1-3][0-7]{2}/.test(rest())) {
      const digits = /^\d{1,2}/.exec(rest())?.[0] ?? '';
      at += digits.length;
      if (Number(digits) > groups) fail(`invalid group reference ${digits}`);
      return `(?:\\${digits})`;
    }
    return literal(escapedChar() ?? fail(`bad escape \\${c}`));
  };

  const classItem = (): { text: string; single: boolean } => {
    if (chars[at] !== '\\') return { text: literal(chars[at++]), single: true };
    at++;
    const c = chars[at];
    if (c !== undefined && Object.hasOwn(CLASSES, c)) {
      at++;
      return { text: CLASSES[c], single: false };
    }
    return { text: literal(escapedChar() ?? fail(`bad escape \\${c}`)), single: true };
  };

  const characterClass = (): string => {
    let text = '[';
    if (chars[at] === '^') {
      text += '^';
      at++;
    }
    for (let first = true; first || chars[at] !== ']'; first = false) {
      if (at >= chars.length) fail('unterminated character set');
      const from = classItem();
      if (chars[at] !== '-' || chars[at + 1] === ']' || at + 1 >= chars.length) {
        text += from.text;
        continue;
      }
      at++;
      const to = classItem();
      if (!from.single || !to.single) fail('bad character range');
      text += `${from.text}-${to.text}`;
    }
    at++;
    return `${text}]`;
  };

  /** Behind an opening bracket. */
  const group = (): string => {
    if (chars[at] !== '?') {
      groups++;
      return '(';
    }
    const plain = /^\?(?::|=|!|<=|<!)/.exec(rest())?.[0];
    if (plain !== undefined) {
      at += plain.length;
      return `(${plain}`;
    }
    const named = /^\?P<([^>)]*)>/.exec(chars.slice(at).join(''));
    if (named !== null) {
      if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(named[1])) fail(`bad group name '${named[1]}'`);
      if (names.has(named[1])) fail(`redefinition of group '${named[1]}'`);
      at += [...named[0]].length;
      names.set(named[1], ++groups);
      return '(';
    }
    const back = /^\?P=([^)]*)\)/.exec(chars.slice(at).join(''));
    if (back !== null) {
      at += [...back[0]].length;
      return `(?:\\${names.get(back[1]) ?? fail(`unknown group name '${back[1]}'`)})`;
    }
    const comment = /^\?#[^)]*\)/.exec(chars.slice(at).join(''))?.[0];
    if (comment !== undefined) {
      at += [...comment].length;
      return '';
    }
    const global = /^\?([imsu]+)\)/.exec(rest());
    if (global !== null && at === 1) {
      at += global[0].length;
      flags = {
        ignoreCase: flags.ignoreCase || global[1].includes('i'),
        multiline: flags.multiline || global[1].includes('m'),
        dotAll: flags.dotAll || global[1].includes('s'),
      };
      return '';
    }
    return fail('this kind of group is not supported');
  };

  const next = (): string => {
    const c = chars[at++];
    switch (c) {
      case '\\':
        return escape();
      case '[':
        return characterClass();
      case '(':
        return group();
      case '^':
        return flags.multiline ? '(?:^|(?<=\\n))' : '^';
      case '$':
        return flags.multiline ? '(?:$|(?=\\n))' : '(?:$|(?=\\n$))';
      case '.':
        // Not `[^]`: V8 of Node 20 takes `[^]+` for one character under the v flag.
        return flags.dotAll ? '\\p{Any}' : '[^\\n]';
      case '{': {
        const repeat = /^(\d*)(,?)(\d*)\}/.exec(rest());
        if (repeat === null || repeat[0] === '}' || repeat[0] === ',}') return literal(c);
        at += repeat[0].length;
        return `{${repeat[1] === '' ? '0' : repeat[1]}${repeat[2]}${repeat[3]}}`;
      }
      case ')':
      case '|':
      case '*':
      case '+':
      case '?':
        return c;
      default:
        return literal(c);
    }
  };

  while (at < chars.length) pieces.push(next());
  return { source: pieces.join(''), flags, groups, names };
}

/** A character that stands for itself, in classes too. */
function literal(char: string): string {
  return /[\p{L}\p{N} ]/u.test(char) ? char : `\\u{${char.codePointAt(0)?.toString(16)}}`;
}

/** A replacement: text with `\1`, `\g<name>` and escapes. */
function readTemplate(
  template: string,
  { groups, names }: PythonRegex,
): (match: RegExpExecArray) => string {
  const parts: (string | number)[] = [];
  const token = /\\(?:g<([^>]*)>|(0[0-7]{0,2}|[0-3][0-7]{2})|(\d{1,2})|([^])|$)|[^\\]+/gu;
  const groupNumber = (name: string): number => {
    const index = /^\d+$/.test(name) ? Number(name) : names.get(name);
    if (index === undefined || index > groups)
      throw new RegexError(`invalid group reference ${name}`);
    return index;
  };
  for (const [whole, name, octal, digits, char] of template.matchAll(token)) {
    if (name !== undefined) parts.push(groupNumber(name));
    else if (octal !== undefined) parts.push(String.fromCharCode(parseInt(octal, 8)));
    else if (digits !== undefined) parts.push(groupNumber(digits));
    else if (!whole.startsWith('\\')) parts.push(whole);
    else if (char === undefined) throw new RegexError('bad escape (end of pattern)');
    else if (Object.hasOwn(CONTROLS, char)) parts.push(CONTROLS[char]);
    else if (/[A-Za-z]/.test(char)) throw new RegexError(`bad escape \\${char}`);
    else parts.push(whole);
  }
  return (match) =>
    parts
      .map((part) =>
        typeof part === 'string' ? part : ((match[part] as string | undefined) ?? ''),
      )
      .join('');
}

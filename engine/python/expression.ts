/**
 * Arithmetic in Python's words: `(a + b) // 2 if a > 1 else max(a, b)`. Expressions of numbers, booleans,
 * strings and lists with Python's operators and the functions that ComfyUI's Math Expression names; no
 * attributes, no assignments, nothing that could run code. Integers are exact (`bigint`).
 */
import { PythonError } from './error.ts';
import { pythonRepr } from './repr.ts';
import { type Value, binary, compare, functions, truth, unary } from './expression-values.ts';

export type { Value } from './expression-values.ts';

/** A part of an expression, ready to be asked for its value. */
type Node = () => Value;

/** Longest expression, and deepest nesting. */
const LONGEST = 10_000;
const DEEPEST = 100;

const TOKEN =
  /\s*(?:#[^\n]*)?(?:(0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)|([\p{L}_][\p{L}\p{N}_]*)|('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|(\*\*|\/\/|<<|>>|<=|>=|==|!=|[-+*/%()[\],<>&|^~])|$)/uy;

type Token = readonly [kind: 'number' | 'name' | 'string' | 'sign' | 'end', text: string];

/** Functions that an expression may call, by name. */
export type Functions = Readonly<Record<string, (...values: Value[]) => Value>>;

/**
 * The value of `text` with these names, and with these functions beside Math Expression's (in place of
 * those of the same name). Throws PythonError: SyntaxError for what is no expression, NameError for an
 * unknown name, and what Python raises for the arithmetic (ZeroDivisionError …).
 */
export function evaluate(
  text: string,
  names: Readonly<Record<string, Value>>,
  more: Functions = {},
): Value {
  if (text.length > LONGEST) {
    throw new PythonError('ValueError', `the expression is longer than ${LONGEST} characters`);
  }
  return new Parser(tokenize(text.trim()), names, { ...functions, ...more }).whole()();
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) {
      const rest = pythonRepr(text.slice(at).trim().slice(0, 20));
      throw new PythonError('SyntaxError', `invalid syntax at ${rest}`);
    }
    const [, number, name, string, sign] = match;
    if (number !== undefined) tokens.push(['number', number]);
    else if (name !== undefined) tokens.push(['name', name]);
    else if (string !== undefined) tokens.push(['string', string]);
    else if (sign !== undefined) tokens.push(['sign', sign]);
    else if (TOKEN.lastIndex >= text.length) return [...tokens, ['end', '']];
  }
}

const COMPARISONS = ['<', '>', '<=', '>=', '==', '!=', 'in', 'not', 'is'];
const KEYWORDS = new Set(['and', 'or', 'not', 'in', 'is', 'if', 'else']);

/** Operators from the loosest to the tightest; all of them bind to the left. */
const LEVELS: readonly (readonly string[])[] = [
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '//', '%'],
];

const CONSTANTS: Readonly<Record<string, Value>> = { True: true, False: false, None: null };

/** Recursive descent over the tokens, one method for each rule of Python's grammar. */
class Parser {
  private at = 0;
  private depth = 0;
  private readonly tokens: readonly Token[];
  private readonly names: Readonly<Record<string, Value>>;
  private readonly functions: Functions;

  constructor(
    tokens: readonly Token[],
    names: Readonly<Record<string, Value>>,
    functions: Functions,
  ) {
    this.tokens = tokens;
    this.names = names;
    this.functions = functions;
  }

  whole(): Node {
    const node = this.ternary();
    if (this.tokens[this.at][0] !== 'end') this.fail();
    return node;
  }

  private ternary(): Node {
    if (++this.depth > DEEPEST) throw new PythonError('SyntaxError', 'too many nested parentheses');
    const node = this.or();
    this.depth--;
    if (!this.take('if')) return node;
    const condition = this.or();
    if (!this.take('else')) this.fail();
    const otherwise = this.ternary();
    return () => (truth(condition()) ? node() : otherwise());
  }

  private or(): Node {
    let left = this.and();
    while (this.take('or')) {
      const [first, second] = [left, this.and()];
      left = () => {
        const value = first();
        return truth(value) ? value : second();
      };
    }
    return left;
  }

  private and(): Node {
    let left = this.not();
    while (this.take('and')) {
      const [first, second] = [left, this.not()];
      left = () => {
        const value = first();
        return truth(value) ? second() : value;
      };
    }
    return left;
  }

  private not(): Node {
    let times = 0;
    while (this.take('not')) times++;
    const node = this.comparison();
    return times === 0 ? node : () => truth(node()) !== (times % 2 === 1);
  }

  /** `a < b <= c` holds when each pair does; nothing behind the first that fails is asked. */
  private comparison(): Node {
    const first = this.level(0);
    const rest: (readonly [sign: string, operand: Node])[] = [];
    for (let sign = this.comparisonSign(); sign; sign = this.comparisonSign()) {
      rest.push([sign, this.level(0)]);
    }
    if (rest.length === 0) return first;
    return () => {
      let left = first();
      for (const [sign, operand] of rest) {
        const right = operand();
        if (!compare(sign, left, right)) return false;
        left = right;
      }
      return true;
    };
  }

  private comparisonSign(): string | undefined {
    const text = this.peek();
    if (text === undefined || !COMPARISONS.includes(text)) return undefined;
    this.at++;
    if (text === 'is') return this.take('not') ? 'is not' : 'is';
    if (text !== 'not') return text;
    if (!this.take('in')) this.fail();
    return 'not in';
  }

  private level(index: number): Node {
    if (index === LEVELS.length) return this.signed();
    let left = this.level(index + 1);
    for (;;) {
      const sign = this.peek();
      if (sign === undefined || !LEVELS[index].includes(sign)) return left;
      this.at++;
      const [first, second] = [left, this.level(index + 1)];
      left = () => binary(sign, first(), second());
    }
  }

  /** Signs bind looser than a power on their right: -2 ** 2 is -4. */
  private signed(): Node {
    const signs: string[] = [];
    for (let sign = this.peek(); sign && ['-', '+', '~'].includes(sign); sign = this.peek()) {
      signs.unshift(sign);
      this.at++;
    }
    const node = this.power();
    return signs.length === 0 ? node : () => signs.reduce((value, s) => unary(s, value), node());
  }

  private power(): Node {
    const base = this.postfix();
    if (!this.take('**')) return base;
    if (++this.depth > DEEPEST) throw new PythonError('SyntaxError', 'too many powers');
    const exponent = this.signed();
    this.depth--;
    return () => binary('**', base(), exponent());
  }

  private postfix(): Node {
    let node = this.atom();
    while (this.take('[')) {
      const [list, index] = [node, this.ternary()];
      if (!this.take(']')) this.fail();
      node = () => item(list(), index());
    }
    return node;
  }

  private atom(): Node {
    const [kind, text] = this.tokens[this.at++];
    if (kind === 'number') return constant(numberOf(text));
    if (kind === 'string') return constant(stringOf(text));
    if (kind === 'sign' && text === '(') {
      const node = this.ternary();
      if (!this.take(')')) this.fail();
      return node;
    }
    if (kind !== 'name' || KEYWORDS.has(text)) return this.fail(this.at - 1);
    return this.take('(') ? this.call(text) : this.name(text);
  }

  private name(text: string): Node {
    if (Object.hasOwn(CONSTANTS, text)) return constant(CONSTANTS[text]);
    return () => {
      if (Object.hasOwn(this.names, text)) return this.names[text];
      const known = Object.keys(this.names).join(', ');
      throw new PythonError('NameError', `'${text}' is not defined; there are ${known}`);
    };
  }

  private call(name: string): Node {
    const { functions } = this;
    if (!Object.hasOwn(functions, name)) {
      const known = Object.keys(functions).join(', ');
      throw new PythonError('NameError', `function '${name}' is not defined; there are ${known}`);
    }
    const given: Node[] = [];
    while (!this.take(')')) {
      given.push(this.ternary());
      if (!this.take(',') && this.peek() !== ')') this.fail();
    }
    return () => functions[name](...given.map((node) => node()));
  }

  /** The operator or keyword that is next. */
  private peek(): string | undefined {
    const [kind, text] = this.tokens[this.at];
    return kind === 'sign' || (kind === 'name' && KEYWORDS.has(text)) ? text : undefined;
  }

  private take(text: string): boolean {
    if (this.peek() !== text) return false;
    this.at++;
    return true;
  }

  private fail(at = this.at): never {
    const [, text] = this.tokens[at];
    const where = text === '' ? 'the end of the expression' : pythonRepr(text);
    throw new PythonError('SyntaxError', `invalid syntax at ${where}`);
  }
}

const constant =
  (value: Value): Node =>
  () =>
    value;

function numberOf(text: string): Value {
  const digits = text.replaceAll('_', '');
  return /^(?:\d+|0[xXoObB].*)$/.test(digits) ? BigInt(digits) : Number(digits);
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function stringOf(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/g, (_, char: string) => ESCAPES[char] ?? char);
}

function item(list: Value, index: Value): Value {
  if (!Array.isArray(list) && typeof list !== 'string') {
    throw new PythonError('TypeError', 'only lists and strings can be subscripted');
  }
  if (typeof index !== 'bigint' && typeof index !== 'boolean') {
    throw new PythonError('TypeError', 'list indices must be integers');
  }
  const items: readonly Value[] = typeof list === 'string' ? [...list] : list;
  const at = Number(index) < 0 ? items.length + Number(index) : Number(index);
  if (at < 0 || at >= items.length) throw new PythonError('IndexError', 'list index out of range');
  return items[at];
}

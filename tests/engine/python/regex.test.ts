/** Expected values by CPython 3.11's `re`. */
import { describe, expect, it } from 'vitest';
import { compileRegex, findAll, substitute } from '../../../engine/python/regex.ts';

const none = { ignoreCase: false, multiline: false, dotAll: false };
const all = (pattern: string, text: string, flags = {}): string[] =>
  [...findAll(compileRegex(pattern, { ...none, ...flags }), text)].map(([match]) => match);

describe('compileRegex', () => {
  it('has Unicode words and digits', () => {
    expect(all('\\w+', 'Wörld 日本_7!')).toEqual(['Wörld', '日本_7']);
    expect(all('\\bö', 'aö ö')).toEqual(['ö']);
    expect(all('\\d', '5\u0663')).toEqual(['5', '\u0663']);
    expect(all('[^\\W\\d]+', 'ab1c')).toEqual(['ab', 'c']);
  });

  it('has Python’s anchors and dot', () => {
    expect(all('end$', 'end\n')).toEqual(['end']);
    expect(all('end\\Z', 'end\n')).toEqual([]);
    expect(all('^.', 'a\r\nb', { multiline: true })).toEqual(['a', 'b']);
    expect(all('.+', 'a\r\nb')).toEqual(['a\r', 'b']);
    expect(all('.+', 'a\nb', { dotAll: true })).toEqual(['a\nb']);
  });

  it('reads names, classes, quantifiers and flags as Python writes them', () => {
    expect(all('(?P<c>l)(?P=c)', 'hello')).toEqual(['ll']);
    expect(all('[]x]', 'a]x')).toEqual([']', 'x']);
    expect(all('[[a]', '[a')).toEqual(['[', 'a']);
    expect(all('l{,2}o', 'hello o')).toEqual(['llo', 'o']);
    expect(all('a{x}', 'a{x}')).toEqual(['a{x}']);
    expect(all('(?i)HE(?#note)L', 'hel')).toEqual(['hel']);
    expect(all('\\U0001F600|\\x41', 'A\u{1f600}')).toEqual(['A', '\u{1f600}']);
  });

  it('never stands inside a character', () => {
    expect(all('(?!x)', '\u{1f600}')).toEqual(['', '']);
  });

  it.each(['[', '(', '*a', 'a**', '\\q', '(?P<1>a)', '(?(1)a)', '[z-a]', '(?>a)', '\\'])(
    'refuses %j',
    (pattern) => {
      expect(() => compileRegex(pattern, none)).toThrow();
    },
  );
});

describe('substitute', () => {
  const sub = (pattern: string, template: string, text: string, count = 0): string =>
    substitute(compileRegex(pattern, none), template, text, count);

  it('expands groups and escapes', () => {
    expect(sub('(\\w+) (\\d+)', '\\2 \\1', 'a 1, b 2')).toBe('1 a, 2 b');
    expect(sub('(?P<x>h)', '<\\g<x>>\\g<0>', 'h')).toBe('<h>h');
    expect(sub('l', '\\\\n$&', 'l')).toBe('\\n$&');
    expect(sub('(a)|b', '[\\1]', 'ab')).toBe('[a][]');
    expect(sub('x*', '-', 'abxd')).toBe('-a-b--d-');
    expect(sub('o', '0', 'foo', 1)).toBe('f0o');
  });

  it('refuses bad templates', () => {
    expect(() => sub('a', '\\1', 'a')).toThrow('invalid group reference');
    expect(() => sub('a', '\\q', 'a')).toThrow('bad escape');
  });
});

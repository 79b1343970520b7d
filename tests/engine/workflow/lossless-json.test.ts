import { describe, expect, it } from 'vitest';
import {
  Float,
  entriesOf,
  keysOf,
  objectOf,
  parseJson,
  pythonFloat,
  stringifyJson,
  toPlain,
} from '../../../engine/workflow/lossless-json.ts';
import type { Json } from '../../../engine/workflow/lossless-json.ts';
import { cpuTimer } from '../../support/cpu-time.ts';

describe('parseJson', () => {
  it.each([
    ['5', 5],
    ['-0', 0],
    ['5.0', new Float(5)],
    ['-0.0', new Float(-0)],
    ['1e3', new Float(1000)],
    ['0.5', 0.5],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['18446744073709551615', 18446744073709551615n],
    ['-18446744073709551615', -18446744073709551615n],
    ['1e400', Infinity],
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
    ['"a\\u00e9\\n\\ud83d\\ude00"', 'aé\n😀'],
    ['"é😀"', 'é😀'],
    [' [1, [ ], { } ,null,true,false ] ', [1, [], {}, null, true, false]],
    ['{"a": 1, "a": 2}', { a: 2 }],
  ])('reads %s', (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  it.each([
    '{"2": 1, "1": 2}',
    '{"b": {"10": [{"3": 0, "a": 1, "2": 0}]}, "0": 1, "a": 2}',
    '{"x": 1, "7": 2, "__proto__": 3, "6": 4}',
  ])('keeps the order of %s, also as plain JavaScript', (text) => {
    const value = parseJson(text) as { [key: string]: Json };
    expect(stringifyJson(value)).toBe(text);
    expect(stringifyJson(toPlain(value))).toBe(text);
  });

  it('knows the sent order of changed objects and of keys that come twice', () => {
    const value = parseJson('{"9": 1, "8": 2, "9": 3}') as { [key: string]: Json };
    expect(entriesOf(value)).toEqual([
      ['9', 3],
      ['8', 2],
    ]);
    value['1'] = 4;
    delete value['8'];
    expect(keysOf(value)).toEqual(['9', '1']);
    const made = objectOf([
      ['5', 'a'],
      ['4', 'b'],
      ['5', 'c'],
    ]);
    expect(stringifyJson(made)).toBe('{"5": "c", "4": "b"}');
  });

  it('keeps hostile keys as data', () => {
    const value = parseJson('{"__proto__": {"x": 1}, "constructor": 2}');
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(stringifyJson(value)).toBe('{"__proto__": {"x": 1}, "constructor": 2}');
    const plain = toPlain(value);
    expect(Object.keys(plain as object)).toEqual(['__proto__', 'constructor']);
  });

  it.each([
    '',
    ' ',
    '01',
    '-',
    '-NaN',
    '+1',
    '.5',
    '1.',
    '1e',
    'nul',
    'truex',
    "'a'",
    '"a',
    '"a\nb"',
    '"\\x"',
    '"\\u12"',
    '[1,]',
    '[1 2]',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{a:1}',
    '{"a":1}}',
    '1 2',
    '\ufeff1',
    '9'.repeat(4301),
  ])('refuses %j', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  it('refuses nesting that would overflow the stack', () => {
    expect(parseJson('['.repeat(500) + ']'.repeat(500))).toBeDefined();
    expect(() => parseJson('['.repeat(100_000))).toThrow(/nesting/);
    expect(() => parseJson('{"a":'.repeat(100_000))).toThrow(/nesting/);
  });

  it('reads large texts in linear time', () => {
    const text = `["${'x'.repeat(4_000_000)}", "${'\\n'.repeat(500_000)}"${', 1.5'.repeat(200_000)}]`;
    const spent = cpuTimer();
    expect(parseJson(text)).toHaveLength(200_002);
    expect(spent()).toBeLessThan(2000);
  });
});

describe('stringifyJson', () => {
  it.each<[unknown, string]>([
    [
      { a: [1, 2.5, new Float(5), 2n ** 64n], b: null },
      '{"a": [1, 2.5, 5.0, 18446744073709551616], "b": null}',
    ],
    ['é😀\u007f\n"\\', '"\\u00e9\\ud83d\\ude00\\u007f\\n\\"\\\\"'],
    [[], '[]'],
    [{}, '{}'],
    [{ a: undefined, b: 1 }, '{"b": 1}'],
    [undefined, 'null'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [1e22, '1e+22'],
    [-0, '0'],
    [new Float(-0), '-0.0'],
  ])('writes %o as Python does', (value, text) => {
    expect(stringifyJson(value)).toBe(text);
  });

  it('indents as json.dump(indent=4) does', () => {
    expect(stringifyJson({ a: [1, {}], b: [] }, { indent: 4 })).toBe(
      '{\n    "a": [\n        1,\n        {}\n    ],\n    "b": []\n}',
    );
  });

  it('writes compactly without escaping', () => {
    expect(stringifyJson({ a: ['é', 1] }, { style: 'compact' })).toBe('{"a":["é",1]}');
  });

  it('refuses what JSON cannot hold', () => {
    expect(() => stringifyJson({ f: () => 1 })).toThrow(TypeError);
  });

  it('gives back what it reads', () => {
    const text =
      '{"seed": 18446744073709551615, "cfg": 8.0, "denoise": 1e-05, "big": 1e+16, "text": "\\u00e9", "x": [NaN, -Infinity, []]}';
    expect(stringifyJson(parseJson(text))).toBe(text);
  });
});

/** Oracle: Python 3.11's repr(). */
describe('pythonFloat', () => {
  it.each([
    [5, '5.0'],
    [0, '0.0'],
    [0.1, '0.1'],
    [1e-4, '0.0001'],
    [1e-5, '1e-05'],
    [1.5e-7, '1.5e-07'],
    [1e15, '1000000000000000.0'],
    [1e16, '1e+16'],
    [123456789012345680, '1.2345678901234568e+17'],
    [1e22, '1e+22'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [5e-324, '5e-324'],
    [-2.5, '-2.5'],
    [1 / 3, '0.3333333333333333'],
    [9007199254740994, '9007199254740994.0'],
  ])('%d', (value, text) => {
    expect(pythonFloat(value)).toBe(text);
  });
});

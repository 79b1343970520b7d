/** Oracle: Python 3.11's int(), float(), str(), repr() and the texts of their errors. */
import { describe, expect, it } from 'vitest';
import { coerce, parseFloatText, toFloat, toInt, truthy } from '../../../engine/python/coerce.ts';
import { pythonRepr, pythonStr } from '../../../engine/python/repr.ts';
import { typesMatch } from '../../../engine/graph/types-match.ts';
import type { WireType } from '../../../engine/graph/types-match.ts';
import { Float } from '../../../engine/workflow/lossless-json.ts';
import type { Json } from '../../../engine/workflow/lossless-json.ts';
import { cpuTimer } from '../../support/cpu-time.ts';

describe('int()', () => {
  it.each<[Json, number | bigint]>([
    ['7', 7],
    [' -1_000\n', -1000],
    ['+5', 5],
    ['007', 7],
    ['\u0663', 3],
    ['\uff11\uff12', 12],
    [2.9, 2],
    [-2.9, -2],
    [-0.5, 0],
    [new Float(3), 3],
    [new Float(1e20), 100000000000000000000n],
    [true, 1],
    ['18446744073709551615', 18446744073709551615n],
    [18446744073709551615n, 18446744073709551615n],
  ])('%o', (value, result) => expect(toInt(value)).toBe(result));

  it.each<[Json, string]>([
    ['5.7', "invalid literal for int() with base 10: '5.7'"],
    ['', "invalid literal for int() with base 10: ''"],
    ['1__0', "invalid literal for int() with base 10: '1__0'"],
    ["it's", 'invalid literal for int() with base 10: "it\'s"'],
    ['0x10', "invalid literal for int() with base 10: '0x10'"],
    [NaN, 'cannot convert float NaN to integer'],
    [Infinity, 'cannot convert float infinity to integer'],
    [null, "int() argument must be a string, a bytes-like object or a real number, not 'NoneType'"],
    [[1], "int() argument must be a string, a bytes-like object or a real number, not 'list'"],
    [{}, "int() argument must be a string, a bytes-like object or a real number, not 'dict'"],
    [
      '9'.repeat(5000),
      'Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits; use sys.set_int_max_str_digits() to increase the limit',
    ],
  ])('%o fails', (value, text) => expect(() => toInt(value)).toThrow(text));
});

describe('parseFloatText', () => {
  it.each<[string, number | undefined]>([
    [' 1.5\u00a0', 1.5],
    ['1_0.2_5', 10.25],
    ['.5', 0.5],
    ['1.', 1],
    ['-1e-2', -0.01],
    ['+inf', Infinity],
    ['-Infinity', -Infinity],
    ['NaN', NaN],
    ['\u0661.\u0665', 1.5],
    ['\u{1d7d9}\u{1d7da}', 12],
    ['0x10', undefined],
    ['1,5', undefined],
    ['1__0', undefined],
    ['_1', undefined],
    ['.', undefined],
    ['e5', undefined],
    ['', undefined],
    ['1 2', undefined],
  ])('reads %j as Python does', (text, value) => {
    expect(parseFloatText(text)).toEqual(value);
  });

  it('is linear on long digits', () => {
    const spent = cpuTimer();
    expect(parseFloatText('1'.repeat(200_000) + 'x')).toBeUndefined();
    expect(spent()).toBeLessThan(500);
  });
});

describe('float()', () => {
  it.each<[Json, number | Float]>([
    ['1e3', new Float(1000)],
    [' .5 ', 0.5],
    ['5.', new Float(5)],
    ['\u0663.\u0665', 3.5],
    ['1_0.2_5', 10.25],
    ['-inf', -Infinity],
    ['Infinity', Infinity],
    ['nan', NaN],
    [5, new Float(5)],
    [true, new Float(1)],
    [0.1, 0.1],
    [2n ** 64n, new Float(2 ** 64)],
  ])('%o', (value, result) => expect(toFloat(value)).toEqual(result));

  it.each<[Json, string]>([
    ['abc', "could not convert string to float: 'abc'"],
    ['1e', "could not convert string to float: '1e'"],
    ['_1', "could not convert string to float: '_1'"],
    ['0x1', "could not convert string to float: '0x1'"],
    [null, "float() argument must be a string or a real number, not 'NoneType'"],
    [10n ** 400n, 'int too large to convert to float'],
  ])('%o fails', (value, text) => expect(() => toFloat(value)).toThrow(text));
});

describe('bool() and str()', () => {
  it.each<[Json, boolean]>([
    ['false', true],
    ['', false],
    [0, false],
    [new Float(0), false],
    [NaN, true],
    [null, false],
    [[], false],
    [{}, false],
    [{ a: 1 }, true],
    [0n, false],
  ])('bool(%o)', (value, result) => expect(truthy(value)).toBe(result));

  it.each<[Json, string]>([
    [null, 'None'],
    [true, 'True'],
    [5, '5'],
    [new Float(1), '1.0'],
    [1e-7, '1e-07'],
    ['x', 'x'],
    [[1, 'a', null], "[1, 'a', None]"],
    [{ a: [new Float(2)] }, "{'a': [2.0]}"],
  ])('str(%o)', (value, text) => expect(coerce('STRING', value)).toBe(text));
});

describe('repr()', () => {
  it.each<[unknown, string]>([
    ["it's", '"it\'s"'],
    ['"both" \'of\' them', "'\"both\" \\'of\\' them'"],
    ['a\\b\n\t\r', "'a\\\\b\\n\\t\\r'"],
    ['\u0000\u001f\u007f\u00a0', "'\\x00\\x1f\\x7f\\xa0'"],
    ['é 😀 \u2028 \ud800', "'é 😀 \\u2028 \\ud800'"],
    [Infinity, 'inf'],
    [NaN, 'nan'],
    [2n ** 70n, '1180591620717411303424'],
  ])('%o', (value, text) => expect(pythonRepr(value)).toBe(text));

  it('str leaves strings alone', () => expect(pythonStr("it's")).toBe("it's"));
});

describe('typesMatch', () => {
  it.each<[WireType, WireType, boolean]>([
    ['IMAGE', 'IMAGE', true],
    ['IMAGE', 'MASK', false],
    ['STRING', 'STRING,INT', true],
    ['STRING,INT', 'INT', true],
    ['STRING, BOOLEAN', ' INT ,BOOLEAN', true],
    ['STRING', 'INT,FLOAT', false],
    ['*', 'IMAGE', true],
    ['IMAGE', '*', true],
    ['IMAGE', 'MASK,*', true],
    ['COMFY_MATCHTYPE_V3', 'IMAGE', true],
    [['a', 'b'], ['a', 'b'], true],
    [['a', 'b'], ['b', 'a'], false],
    [['a'], 'COMBO', true],
    ['COMBO', ['a'], false],
    ['STRING', ['a'], false],
    ['*', ['a'], true],
    ['', '', true],
    ['', 'IMAGE', false],
  ])('%j into %j: %s', (received, expected, fits) => {
    expect(typesMatch(received, expected)).toBe(fits);
  });

  it.each<[string, string, boolean]>([
    ['STRING', 'STRING,INT', true],
    ['STRING,INT', 'STRING', false],
    ['INT,STRING', 'STRING,INT', true],
  ])('strict: %s within %s: %s', (received, expected, fits) => {
    expect(typesMatch(received, expected, { strict: true })).toBe(fits);
  });
});

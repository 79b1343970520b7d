import { describe, expect, it } from 'vitest';
import type { NodeContext, NodeDefinition } from '../../engine/graph/definition.ts';
import {
  logicNodes,
  orNode,
  andNode,
  notNode,
  switchNode,
  customCombo,
} from '../../nodes/logic.ts';
import { mathExpression, mathNodes, numberConvert, resolutionSelector } from '../../nodes/math.ts';
import { primitiveBoundingBox } from '../../nodes/primitives.ts';
import {
  convertArrayToString,
  convertDictionaryToString,
  jsonExtractString,
  stringFormat,
} from '../../nodes/strings.ts';
import { colorToRgbInt, createList, seedNode, utilityNodes } from '../../nodes/utilities.ts';
import { assertLikeReference33 } from '../support/object-info.ts';

const run = (node: NodeDefinition, inputs: Record<string, unknown>): unknown =>
  node.run(inputs, {} as NodeContext);

describe('logic, math and utility nodes of 0.33', () => {
  const nodes = [
    ...logicNodes,
    ...mathNodes,
    ...utilityNodes,
    primitiveBoundingBox,
    stringFormat,
    jsonExtractString,
    convertArrayToString,
    convertDictionaryToString,
  ];
  it.each(nodes.map((node) => [node.name, node] as const))('%s prints as 0.33 does', (_, node) =>
    assertLikeReference33(node),
  );

  it('takes one branch and asks for it only', () => {
    expect(run(switchNode, { switch: true, on_true: 1, on_false: 2 })).toEqual([1]);
    expect(run(switchNode, { switch: false, on_true: 1, on_false: 2 })).toEqual([2]);
    const ask = (inputs: Record<string, unknown>) => switchNode.checkLazy!(inputs, {} as never);
    expect(ask({ switch: true, on_true: null, on_false: null })).toEqual(['on_true']);
    expect(ask({ switch: false, on_true: null, on_false: null })).toEqual(['on_false']);
    expect(ask({ switch: false, on_true: null, on_false: 5 })).toEqual([]);
  });

  it('knows true and false as Python does', () => {
    const falsy = [null, 0, 0n, '', false, [], {}, { data: new Float32Array([0]), shape: [1] }];
    for (const value of falsy) expect(run(notNode, { value })).toEqual([true]);
    for (const value of [1, 'a', [0], { a: 0 }, NaN]) {
      expect(run(notNode, { value })).toEqual([false]);
    }
    const picture = { data: new Float32Array(12), shape: [1, 2, 2, 3] };
    expect(() => run(notNode, { value: picture })).toThrow('ambiguous');
    expect(run(andNode, { values: { value0: 1, value1: '' } })).toEqual([false]);
    expect(run(andNode, { values: { value0: 0, value1: picture } })).toEqual([false]);
    expect(run(orNode, { values: { value0: '', value1: 'x' } })).toEqual([true]);
  });

  it('passes choices of a list that only the editor knows', async () => {
    expect(run(customCombo, { choice: 'b', index: 1, option1: 'a' })).toEqual(['b', 1]);
    expect(run(customCombo, { choice: 'b' })).toEqual(['b', 0]);
    expect(await customCombo.validate!.check({ choice: 'b' }, {}, {} as never)).toBe(true);
  });

  it('computes', () => {
    const compute = (expression: string, values: Record<string, unknown>): unknown =>
      run(mathExpression, { expression, values });
    expect(compute('a + b', { a: 1, b: 2.5 })).toEqual([3.5, 3, true]);
    expect(compute('a // 2 * 2', { a: 7 })).toEqual([6, 6, true]);
    expect(compute('sum(values) / 3', { a: 1, b: 2, c: 3 })).toEqual([2, 2, true]);
    expect(compute('a > b', { a: true, b: 0 })).toEqual([1, 1, true]);
    expect(compute('2 ** 60 + 1', { a: 0 })).toEqual([2 ** 60, 1152921504606846977n, true]);
    expect(compute('-7.9', { a: 0 })).toEqual([-7.9, -7, true]);
    expect(() => compute(' ', { a: 1 })).toThrow('an expression such as');
    expect(() => compute('"text"', { a: 1 })).toThrow('a number');
    expect(() => compute('1e308 * 10', { a: 1 })).toThrow('a finite number');
    expect(() => compute('a / 0', { a: 1 })).toThrow('division by zero');
    expect(() => compute('b', { a: 1 })).toThrow("'b' is not defined");
  });

  it('converts', () => {
    const convert = (value: unknown): unknown => run(numberConvert, { value });
    expect(convert(true)).toEqual([1, 1]);
    expect(convert(5)).toEqual([5, 5]);
    expect(convert(-2.7)).toEqual([-2.7, -2]);
    expect(convert(' 12 ')).toEqual([12, 12]);
    expect(convert('1.9e1')).toEqual([19, 19]);
    expect(convert('9007199254740993')).toEqual([9007199254740992, 9007199254740993n]);
    expect(() => convert('')).toThrow('could not convert');
    expect(() => convert('inf')).toThrow('a finite number');
    expect(() => convert([1])).toThrow('a number, a text or a truth value');
  });

  it('finds sizes of an aspect ratio', () => {
    const size = (aspect_ratio: string, megapixels: number, multiple: number): unknown =>
      run(resolutionSelector, { aspect_ratio, megapixels, multiple });
    expect(size('1:1 (Square)', 1, 8)).toEqual([1024, 1024]);
    expect(size('16:9 (Widescreen)', 1, 8)).toEqual([1368, 768]);
    expect(size('21:9 (Ultrawide)', 2.5, 64)).toEqual([2496, 1088]);
  });

  it('lists, colours, seeds, boxes', () => {
    expect(run(createList, { inputs: { input0: [1, 2], input1: [3] } })).toEqual([[1, 2, 3]]);
    expect(run(colorToRgbInt, { color: '#10203f' })).toEqual([0x10203f, '#10203f', 1]);
    expect(run(colorToRgbInt, { color: '#FF000080' })).toEqual([0xff0000, '#FF0000', 128 / 255]);
    expect(() => run(colorToRgbInt, { color: 'red' })).toThrow('#RRGGBB');
    expect(run(seedNode, { seed: 2n ** 60n })).toEqual([2n ** 60n]);
    const box = { x: 1, y: 2, width: 3, height: 4 };
    expect(run(primitiveBoundingBox, box)).toEqual([box]);
  });

  it('formats and reads texts', () => {
    expect(run(stringFormat, { f_string: '{a}-{b:03d}', values: { a: 'x', b: 7 } })).toEqual([
      'x-007',
    ]);
    const extract = (json_string: string, key: string): unknown =>
      run(jsonExtractString, { json_string, key });
    expect(extract('{"a": 5.0}', 'a')).toEqual(['5.0']);
    expect(extract('{"a": [1, "x", null, true]}', 'a')).toEqual(["[1, 'x', None, True]"]);
    expect(extract('{"a": null}', 'a')).toEqual(['']);
    expect(extract('{"a": 1}', 'constructor')).toEqual(['']);
    expect(extract('[1]', '0')).toEqual(['']);
    expect(extract('{', 'a')).toEqual(['']);
    const dictionary = { a: [1, 'é'], b: {} };
    expect(run(convertDictionaryToString, { dictionary, indent: 0 })).toEqual([
      '{"a": [1, "é"], "b": {}}',
    ]);
    expect(run(convertDictionaryToString, { dictionary, indent: 1 })).toEqual([
      '{\n "a": [\n  1,\n  "é"\n ],\n "b": {}\n}',
    ]);
    const array = { data: new Float32Array(3), shape: [3] };
    expect(run(convertArrayToString, { array: [1, 2], indent: 0 })).toEqual(['[1, 2]']);
    expect(() => run(convertArrayToString, { array: [array], indent: 0 })).toThrow('serializable');
  });
});

import { describe, expect, it } from 'vitest';
import { previewAny, primitiveNodes } from '../../nodes/primitives.ts';
import { assertLikeReference } from '../support/object-info.ts';
import type { NodeContext, NodeOutput } from '../../engine/graph/definition.ts';

describe('primitive nodes', () => {
  for (const node of primitiveNodes) {
    it(`${node.name} prints as the reference does`, () => assertLikeReference(node));
  }

  it.each([
    [null, 'None'],
    ['text', 'text'],
    [5, '5'],
    [0.5, '0.5'],
    [true, 'True'],
    [2n ** 63n, '9223372036854775808'],
    [[1, 'a', null], '[1, "a", null]'],
    [{ a: [true] }, '{"a": [true]}'],
    [{ data: new Float32Array(6), shape: [2, 3] }, 'array of shape [2, 3]'],
  ])('PreviewAny shows %o as %s', (source, text) => {
    const shown = previewAny.run({ source }, {} as NodeContext) as NodeOutput;
    expect(shown.ui).toEqual({ text: [text] });
  });

  it('PreviewAny gives its text on, JSON over several lines', () => {
    const result = (source: unknown) =>
      (previewAny.run({ source }, {} as NodeContext) as NodeOutput).result;
    expect(result('text')).toEqual(['text']);
    expect(result(null)).toEqual(['None']);
    // json.dumps({'a': [True, 'é'], 'b': {}}, indent=4, ensure_ascii=False)
    const lines = '{\n    "a": [\n        true,\n        "é"\n    ],\n    "b": {}\n}';
    expect(result({ a: [true, 'é'], b: {} })).toEqual([lines]);
  });
});

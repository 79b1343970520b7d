import { describe, expect, it } from 'vitest';
import { previewAny, primitiveNodes } from '../../nodes/primitives.ts';
import { assertLikeReference } from '../support/object-info.ts';
import type { NodeContext } from '../../engine/graph/definition.ts';

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
    expect(previewAny.run({ source }, {} as NodeContext)).toEqual({ ui: { text: [text] } });
  });
});

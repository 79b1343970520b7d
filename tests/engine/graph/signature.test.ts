import { describe, expect, it } from 'vitest';
import type { NodeDefinition, Prompt } from '../../../engine/graph/definition.ts';
import { createDynamicPrompt } from '../../../engine/graph/dynamic-prompt.ts';
import { createSignatures } from '../../../engine/graph/signature.ts';
import { Float } from '../../../engine/workflow/lossless-json.ts';
import { cpuTimer } from '../../support/cpu-time.ts';

const definition = (more: Partial<NodeDefinition> = {}): NodeDefinition => ({
  name: 'N',
  category: 't',
  module: 't',
  form: 'v1',
  inputs: {},
  outputs: [{ type: '*' }],
  run: () => [1],
  ...more,
});

/** Keys of all nodes of a prompt. */
async function keysOf(
  prompt: Prompt,
  options: { of?: (classType: string) => NodeDefinition; changed?: (id: string) => unknown } = {},
): Promise<Record<string, string | undefined>> {
  const { of = () => definition(), changed = () => false } = options;
  const dynamic = createDynamicPrompt(prompt);
  const signatures = createSignatures({
    prompt: dynamic,
    definitionOf: (id) => of(dynamic.getNode(id).class_type),
    isChanged: changed,
  });
  await signatures.add(Object.keys(prompt));
  return Object.fromEntries(Object.keys(prompt).map((id) => [id, signatures.keyOf(id)]));
}

const n = (inputs: Prompt[string]['inputs'], class_type = 'N') => ({ class_type, inputs });

describe('cache keys', () => {
  it('do not depend on node ids or the order of inputs', async () => {
    const { a, b, c, d } = await keysOf({
      a: n({ x: 1, y: 'z' }),
      b: n({ y: 'z', x: 1 }),
      c: n({ in: ['a', 0] }),
      d: n({ in: ['b', 0] }),
    });
    expect(a).toBe(b);
    expect(c).toBe(d);
  });

  it('are the same in the next prompt', async () => {
    const prompt = { a: n({ x: { p: [1, 2], q: null } }), b: n({ in: ['a', 0] }) };
    expect(await keysOf(prompt)).toEqual(await keysOf(structuredClone(prompt)));
  });

  it.each<[string, Prompt[string], Prompt[string]]>([
    ['class', n({}), n({}, 'M')],
    ['constants', n({ x: 1 }), n({ x: 2 })],
    ['5 and 5.0', n({ x: 5 }), n({ x: new Float(5) })],
    ['5 and "5"', n({ x: 5 }), n({ x: '5' })],
    ['1 and true', n({ x: 1 }), n({ x: true })],
    ['names', n({ x: 1 }), n({ y: 1 })],
    ['absent and null', n({}), n({ x: null })],
    ['big integers', n({ x: 2n ** 64n - 1n }), n({ x: 2n ** 64n - 2n })],
    ['output slots', n({ x: ['a', 0] }), n({ x: ['a', 1] })],
    ['nesting', n({ x: [[1], 2, 3] }), n({ x: [1, [2], 3] })],
    ['text that looks like structure', n({ x: 'a', y: 'b' }), n({ x: 'a","y"="b' })],
  ])('tell apart by %s', async (_what, left, right) => {
    const keys = await keysOf({ a: n({}), left, right });
    expect(keys.left).not.toBe(keys.right);
  });

  it('change with every ancestor', async () => {
    const chain = (x: number): Prompt => ({
      a: n({ x }),
      b: n({ in: ['a', 0] }),
      c: n({ in: ['b', 0] }),
    });
    expect((await keysOf(chain(1))).c).not.toBe((await keysOf(chain(2))).c);
  });

  it('never match for NaN, arrays, or a missing ancestor', async () => {
    const image = { data: new Float32Array(1), shape: [1] };
    const cases: [Prompt[string], (() => unknown)?][] = [
      [n({ x: NaN })],
      [n({ x: image as never })],
      [n({ x: ['missing', 0] })],
      [n({}), () => [NaN]],
      [n({}), () => NaN],
    ];
    for (const [node, changed] of cases) {
      const first = await keysOf({ a: node, b: n({ in: ['a', 0] }) }, { changed });
      const second = await keysOf({ a: node, b: n({ in: ['a', 0] }) }, { changed });
      expect(first.a).not.toBe(second.a);
      expect(first.b).not.toBe(second.b);
    }
  });

  it('hold the id of nodes that ask for it (V1 only) or are not idempotent', async () => {
    const prompt = { a: n({}), b: n({}) };
    const shares = async (more: Partial<NodeDefinition>): Promise<boolean> => {
      const keys = await keysOf(prompt, { of: () => definition(more) });
      return keys.a === keys.b;
    };
    const hidden = { id: 'UNIQUE_ID' } as const;
    expect(await shares({})).toBe(true);
    expect(await shares({ notIdempotent: true })).toBe(false);
    expect(await shares({ hidden })).toBe(false);
    expect(await shares({ hidden, form: 'v3' })).toBe(true);
    expect(await shares({ hidden: { p: 'PROMPT' } })).toBe(true);
  });

  it('exist for cycles, and match nothing', async () => {
    const prompt = { a: n({ x: ['b', 0] }), b: n({ x: ['a', 0] }) };
    const first = await keysOf(prompt);
    expect(first.a).toBeDefined();
    expect(first.a).not.toBe((await keysOf(prompt)).a);
  });

  it('cost linear time in deep and in wide graphs', async () => {
    const prompt: Prompt = { n0: n({}) };
    for (let i = 1; i < 10_000; i++) {
      prompt[`n${i}`] = n({ a: [`n${i - 1}`, 0], b: [`n${i >> 1}`, 0], c: [`n${i - 1}`, 1] });
    }
    const spent = cpuTimer();
    await keysOf(prompt);
    expect(spent()).toBeLessThan(1500);
  });
});

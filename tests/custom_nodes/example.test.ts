/** The example pack does what its README says. */
import { describe, expect, it } from 'vitest';
import { nodes } from '../../custom_nodes/example/index.ts';
import { nodeInfo } from '../../engine/graph/object-info.ts';
import { stringifyJson } from '../../engine/workflow/lossless-json.ts';
import { createHarness } from '../engine/graph/harness.ts';
import { referenceChoices } from '../support/object-info.ts';

const start = () => createHarness('', { nodes });
const n = (class_type: string, inputs: Record<string, unknown> = {}) => ({ class_type, inputs });
const show = (id: string) => n('PreviewAny', { source: [id, 0] });

const text = async (prompt: Record<string, unknown>, h = start()) => {
  const run = await h.run(prompt as never);
  expect(run.error()).toBeUndefined();
  return run.outputs.out?.text as unknown;
};

describe('the example pack', () => {
  it.each(nodes.map((node) => [node.name, node] as const))('%s can be printed', (_name, node) => {
    expect(stringifyJson(nodeInfo(node, referenceChoices))).toContain(node.name);
  });

  it('changes, checks and reports pictures', async () => {
    const prompt = {
      g: n('ExampleGradient', { width: 2, height: 1, color: '#ff0000' }),
      a: n('ExampleAdjust', {
        image: ['g', 0],
        mode: 'negative',
        brightness: 0,
        contrast: 1,
        levels: 256,
        clamp: true,
      }),
      out: n('ExampleReport', { image: ['a', 0] }),
    };
    expect(await text(prompt)).toEqual(['node out of 3: [1, 1, 2, 3], mean 0.750']);
    const bad = { ...prompt, g: n('ExampleGradient', { width: 2, height: 1, color: 'red' }) };
    const { nodeErrors } = await start().validate(bad as never);
    expect(nodeErrors.g.errors[0].details).toBe('color - expected a colour like #ff8000');
  });

  it('chooses, gates and counts', async () => {
    const choose = (first: boolean) => ({
      x: n('PrimitiveInt', { value: 1 }),
      y: n('PrimitiveInt', { value: 2 }),
      c: n('ExampleChoose', { first, if_first: ['x', 0], otherwise: ['y', 0] }),
      out: show('c'),
    });
    expect([await text(choose(true)), await text(choose(false))]).toEqual([['1'], ['2']]);

    const gate = (open: boolean) => ({
      g: n('ExampleGate', { value: 'v', open, message: 'closed' }),
      out: show('g'),
    });
    expect(await text(gate(true))).toEqual(['v']);
    const blocked = await start().run(gate(false) as never);
    expect(blocked.error()?.exception_message).toBe('Execution Blocked: closed');
    expect(blocked.result.status).toBe('success');

    const h = start();
    const count = { c: n('ExampleCounter', { start: 5 }), out: show('c') };
    expect([await text(count, h), await text(count, h)]).toEqual([['5'], ['6']]);
  });

  it('expands', async () => {
    const prompt = {
      g: n('ExampleGradient', { width: 2, height: 1, color: '#ff0000' }),
      r: n('ExampleRepeat', { image: ['g', 0], times: 3 }),
      out: n('ExampleReport', { image: ['r', 0] }),
    };
    expect(await text(prompt)).toEqual(['node out of 3: [1, 1, 2, 3], mean 0.750']);
  });

  it('handles lists', async () => {
    const prompt = {
      s: n('ExampleSplit', { text: 'a, b', separator: ',' }),
      r: n('ExampleRepeatText', { text: ['s', 0], times: 2 }),
      j: n('ExampleJoin', { parts: ['r', 0], separator: '-' }),
      out: show('j'),
    };
    expect(await text(prompt)).toEqual(['aa-bb']);
  });

  it('waits with progress', async () => {
    const run = await start().run({
      w: n('ExampleWait', { value: 'v', seconds: 0.02, steps: 2 }),
      out: show('w'),
    } as never);
    expect(run.of('progress').map(({ value }) => value)).toEqual([1, 2]);
    expect(run.messages.filter(({ type }) => type !== 'event').map(({ type }) => type)).toEqual([
      'preview',
      'preview',
      'text',
    ]);
    expect(run.of('example.waited')).toEqual([{ node: 'w', seconds: 0.02 }]);
  });

  it('takes dynamic inputs', async () => {
    const sum = n('ExampleSum', {
      'numbers.number0': 1.5,
      'numbers.number1': 2,
      'numbers.number2': 3,
    });
    expect(await text({ s: sum, out: show('s') })).toEqual(['6.5']);
    const area = n('ExampleArea', { shape: 'rectangle', 'shape.width': 2, 'shape.height': 1.5 });
    expect(await text({ s: area, out: show('s') })).toEqual(['3.0']);
    const first = n('ExampleFirstOf', { b: ['x', 0] });
    const x = n('PrimitiveString', { value: 'x' });
    expect(await text({ x, s: first, out: show('s') })).toEqual(['x']);
  });
});

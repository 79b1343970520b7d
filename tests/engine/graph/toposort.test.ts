/** Pick order against ComfyUI's rule written the slow, obvious way (its four passes over all ready nodes). */
import { describe, expect, it } from 'vitest';
import type { NodeDefinition, Prompt } from '../../../engine/graph/definition.ts';
import { createDynamicPrompt } from '../../../engine/graph/dynamic-prompt.ts';
import { createExecutionList } from '../../../engine/graph/toposort.ts';
import { defineNode, socket } from '../../../engine/node.ts';

const define = (name: string, more: Partial<NodeDefinition>): NodeDefinition =>
  defineNode({
    name,
    category: 't',
    module: 't',
    form: 'v1',
    inputs: { lazy: socket('*', { lazy: true }) },
    outputs: [{ type: '*' }],
    run: () => [1],
    ...more,
  });
const nodes: Record<string, NodeDefinition> = {
  plain: define('plain', {}),
  output: define('output', { outputNode: true }),
  async: define('async', { parallel: true }),
};

function listFor(prompt: Prompt) {
  const dynamic = createDynamicPrompt(prompt);
  const done = new Set<string>();
  const uses = new Map<string, number>();
  const list = createExecutionList({
    prompt: dynamic,
    definitionOf: (id) => nodes[dynamic.getNode(id).class_type],
    isCached: (id) => done.has(id),
    onUse: (id) => void uses.set(id, (uses.get(id) ?? 0) + 1),
    onRelease: (id) => void uses.set(id, (uses.get(id) ?? 0) - 1),
  });
  return { list, done, uses };
}

/** The reference's rule on plain data: blockers per node, in the order the nodes were added. */
function slowOrder(prompt: Prompt, outputs: readonly string[]): string[] {
  const pending: string[] = [];
  const blocking = new Map<string, string[]>();
  for (const output of outputs) {
    const stack = [output];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (pending.includes(id)) continue;
      pending.push(id);
      for (const value of Object.values(prompt[id].inputs)) {
        const [from] = value as [string, number];
        stack.push(from);
        blocking.set(from, [...(blocking.get(from) ?? []), id]);
      }
    }
  }
  const is = (id: string, ...classes: string[]): boolean => classes.includes(prompt[id].class_type);
  const after = (id: string): string[] => blocking.get(id) ?? [];
  const order: string[] = [];
  while (pending.length > 0) {
    const ready = pending.filter((id) => !pending.some((other) => after(other).includes(id)));
    const next =
      ready.find((id) => is(id, 'output', 'async')) ??
      ready.find((id) => after(id).some((b) => is(b, 'output'))) ??
      ready.find((id) => after(id).some((b) => after(b).some((c) => is(c, 'output')))) ??
      ready[0];
    order.push(next);
    pending.splice(pending.indexOf(next), 1);
  }
  return order;
}

describe('the execution list', () => {
  it('picks in the reference order on random graphs', () => {
    let seed = 1;
    const random = (n: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * n);
    };
    for (let round = 0; round < 300; round++) {
      const count = 3 + random(25);
      const prompt: Prompt = {};
      for (let i = 0; i < count; i++) {
        const inputs: Prompt[string]['inputs'] = {};
        for (let k = 0; i > 0 && k < random(4); k++) inputs[`i${k}`] = [`n${random(i)}`, random(2)];
        const kind = random(10);
        const class_type = kind === 0 ? 'async' : kind < 4 ? 'output' : 'plain';
        prompt[`n${i}`] = { class_type, inputs };
      }
      const outputs = Object.keys(prompt).filter((id) => prompt[id].class_type === 'output');
      const { list, done, uses } = listFor(prompt);
      for (const output of outputs) list.addNode(output);
      const order: string[] = [];
      for (let id = list.pick(); id !== undefined; id = list.pick()) {
        order.push(id);
        done.add(id);
        list.complete(id);
      }
      expect(order).toEqual(slowOrder(prompt, outputs));
      expect(list.size).toBe(0);
      expect([...uses.values()].every((count) => count === 0)).toBe(true);
    }
  });

  it('leaves lazy inputs alone until they are asked for', () => {
    const { list } = listFor({
      a: { class_type: 'plain', inputs: {} },
      b: { class_type: 'output', inputs: { lazy: ['a', 0], constant: 5 } },
    });
    list.addNode('b');
    expect([list.size, list.pick()]).toEqual([1, 'b']);
    list.makeInputStrongLink('b', 'lazy');
    expect([list.size, list.pick()]).toEqual([2, 'a']);
    expect(() => list.makeInputStrongLink('b', 'constant')).toThrow('is a constant');
    expect(() => list.makeInputStrongLink('b', 'other')).toThrow('no input to that node at all');
  });

  it('holds a node back while it is blocked from outside', () => {
    const { list } = listFor({ a: { class_type: 'output', inputs: {} } });
    list.addNode('a');
    const unblock = list.addExternalBlock('a');
    expect([list.pick(), list.externalBlocks]).toEqual([undefined, 1]);
    unblock();
    expect([list.pick(), list.externalBlocks]).toEqual(['a', 0]);
  });

  it('names the nodes of a cycle', () => {
    const { list } = listFor({
      a: { class_type: 'plain', inputs: { x: ['b', 0] } },
      b: { class_type: 'plain', inputs: { x: ['a', 0] } },
      free: { class_type: 'plain', inputs: {} },
      out: { class_type: 'output', inputs: { x: ['a', 0], y: ['free', 0] } },
    });
    list.addNode('out');
    list.complete('free');
    expect(list.pick()).toBeUndefined();
    expect(list.nodesInCycle().sort()).toEqual(['a', 'b', 'out']);
  });
});

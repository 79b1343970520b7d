import { describe, expect, it } from 'vitest';
import { workflowToPrompt } from '../../../engine/workflow/to-prompt.ts';
import type { ApiPrompt } from '../../../engine/workflow/types.ts';
import { type Loose, info, inputsOf, loader, socket, workflow } from './files.ts';

describe('links', () => {
  const encode = (link: number, more: Loose = {}): Loose => ({
    id: 2,
    type: 'Encode',
    inputs: [socket('clip', 'CLIP', link)],
    widgets_values: ['hello'],
    ...more,
  });

  /** A bypassed filter of model and clip, its outputs in the given order. */
  const bypassed = (...outputs: string[]): Loose => ({
    id: 4,
    type: 'Filter',
    mode: 4,
    inputs: [
      socket('model', 'MODEL', 1),
      socket('strength', 'FLOAT', null, true),
      socket('clip', 'CLIP', 2),
    ],
    outputs: outputs.map((type) => ({ name: type, type })),
  });
  const reroute = (id: number, link: number, more: Loose = {}): Loose => ({
    id,
    type: 'Reroute',
    inputs: [socket('', '*', link)],
    outputs: [{ name: '', type: '*' }],
    ...more,
  });

  it('names the source and the titles', () => {
    const { prompt } = workflowToPrompt(
      workflow([encode(1, { title: 'Mine' }), loader], [[1, 1, 1, 2, 0, 'CLIP']]),
      info,
    );
    expect(prompt).toEqual<ApiPrompt>({
      1: { inputs: { name: 'a.ckpt' }, class_type: 'Loader', _meta: { title: 'Load it' } },
      2: {
        inputs: { text: 'hello', clip: ['1', 1] },
        class_type: 'Encode',
        _meta: { title: 'Mine' },
      },
    });
  });

  it('follows reroutes, Set and Get, and survives circles', () => {
    const through = workflow(
      [loader, reroute(10, 1), reroute(11, 2), encode(3)],
      [
        [1, 1, 1, 10, 0, 'CLIP'],
        [2, 10, 0, 11, 0, '*'],
        [3, 11, 0, 2, 0, '*'],
      ],
    );
    expect(inputsOf(through)['2']).toEqual({ text: 'hello', clip: ['1', 1] });
    const circle = workflow(
      [reroute(10, 2), reroute(11, 1), encode(3)],
      [
        [1, 10, 0, 11, 0, '*'],
        [2, 11, 0, 10, 0, '*'],
        [3, 11, 0, 2, 0, '*'],
      ],
    );
    expect(inputsOf(circle)['2']).toEqual({ text: 'hello' });
    const variables = workflow(
      [
        loader,
        { id: 5, type: 'SetNode', inputs: [socket('CLIP', 'CLIP', 1)], widgets_values: ['c'] },
        {
          id: 6,
          type: 'GetNode',
          outputs: [{ name: 'CLIP', type: 'CLIP' }],
          widgets_values: ['c'],
        },
        encode(2),
      ],
      [
        [1, 1, 1, 5, 0, 'CLIP'],
        [2, 6, 0, 2, 0, 'CLIP'],
      ],
    );
    expect(inputsOf(variables)).toEqual({
      1: { name: 'a.ckpt' },
      2: { text: 'hello', clip: ['1', 1] },
    });
  });

  it('finds each of thousands of variables, the first of equal names', () => {
    const names = Array.from({ length: 5000 }, (_, i) => `v${i}`);
    const set = (id: number, name: string, link: number) => ({
      id,
      type: 'SetNode',
      inputs: [socket('CLIP', 'CLIP', link)],
      widgets_values: [name],
    });
    const get = (id: number, name: string) => ({
      id,
      type: 'GetNode',
      outputs: [{ name: 'CLIP', type: 'CLIP' }],
      widgets_values: [name],
    });
    const setters = names.map((name, i) => set(10 + i, name, 10 + i));
    const file = workflow(
      [loader, ...setters, set(6, 'v4999', 5), get(7, 'v4999'), encode(2)],
      [...names.map((_, i) => [10 + i, 1, 1, 10 + i, 0, 'CLIP']), [2, 7, 0, 2, 0, 'CLIP']],
    );
    expect(inputsOf(file)['2']).toEqual({ text: 'hello', clip: ['1', 1] });
  });

  it("leaves out what lives in the editor only: packs' switchboards and labels", () => {
    const wire = (type: string) => ({ name: type, type });
    const file = workflow(
      [
        loader,
        encode(1),
        {
          id: 5,
          type: 'Fast Muter (rgthree)',
          inputs: [socket('COND', '*', 2)],
          outputs: [wire('_')],
        },
        { id: 6, type: 'Fast Groups Bypasser (rgthree)', outputs: [wire('OPT_CONNECTION')] },
        { id: 7, type: 'Mute / Bypass Repeater (rgthree)', inputs: [socket('_', '*', 3)] },
        { id: 8, type: 'Label (rgthree)' },
      ],
      [
        [1, 1, 1, 2, 0, 'CLIP'],
        [2, 2, 0, 5, 0, '*'],
        [3, 5, 0, 7, 0, '*'],
      ],
    );
    expect(Object.keys(inputsOf(file) as object)).toEqual(['1', '2']);
  });

  it('follows chains of any length', () => {
    const length = 20_000;
    const ids = Array.from({ length }, (_, i) => 10 + i);
    const links = ids.map((id, i) => [id, i === 0 ? 1 : id - 1, i === 0 ? 1 : 0, id, 0, '*']);
    const chained = (one: (id: number) => Loose): unknown =>
      inputsOf(
        workflow(
          [loader, ...ids.map(one), encode(9)],
          [...links, [9, ids.at(-1), 0, 2, 0, 'CLIP']],
        ),
      )['2'];
    const expected = { text: 'hello', clip: ['1', 1] };
    expect(chained((id) => reroute(id, id))).toEqual(expected);
    const bypassed = (id: number): Loose => reroute(id, id, { type: 'Encode', mode: 4 });
    expect(chained(bypassed)).toEqual(expected);
  });

  it('drops muted nodes and the inputs that came from them', () => {
    const muted = workflow([{ ...loader, mode: 2 }, encode(1)], [[1, 1, 1, 2, 0, 'CLIP']]);
    expect(inputsOf(muted)).toEqual({ 2: { text: 'hello' } });
  });

  it('goes round bypassed nodes by type', () => {
    const filter = bypassed('MODEL', 'CLIP');
    const value = workflow(
      [loader, filter, encode(3)],
      [
        [1, 1, 0, 4, 0, 'MODEL'],
        [2, 1, 1, 4, 2, 'CLIP'],
        [3, 4, 1, 2, 0, 'CLIP'],
      ],
    );
    expect(inputsOf(value)).toEqual({
      1: { name: 'a.ckpt' },
      2: { text: 'hello', clip: ['1', 1] },
    });
  });

  describe('a bypassed node behind knots hands on what their consumer takes', () => {
    const filter = bypassed('CLIP', 'MODEL');
    const knot = (id: number, type: string, link: number, more: Loose = {}): Loose =>
      reroute(id, link, { type, ...more });
    const links = [
      [1, 1, 0, 4, 0, 'MODEL'],
      [2, 1, 1, 4, 2, 'CLIP'],
      [3, 4, 0, 5, 0, '*'],
    ];
    const expected = { 1: { name: 'a.ckpt' }, 2: { text: 'hello', clip: ['1', 1] } };

    it.each(['Reroute', 'Reroute (rgthree)'])('%s, one and two of them', (type) => {
      const one = [...links, [4, 5, 0, 2, 0, 'CLIP']];
      expect(inputsOf(workflow([loader, filter, knot(5, type, 3), encode(4)], one))).toEqual(
        expected,
      );
      const two = [...links, [4, 5, 0, 6, 0, '*'], [5, 6, 0, 2, 0, 'CLIP']];
      const knots = [knot(5, type, 3), knot(6, type, 4)];
      expect(inputsOf(workflow([loader, filter, ...knots, encode(5)], two))).toEqual(expected);
    });

    it('a variable', () => {
      const nodes = [
        loader,
        filter,
        knot(5, 'SetNode', 3, { widgets_values: ['c'] }),
        { id: 6, type: 'GetNode', outputs: [{ name: '', type: '*' }], widgets_values: ['c'] },
        encode(4),
      ];
      expect(inputsOf(workflow(nodes, [...links, [4, 6, 0, 2, 0, 'CLIP']]))).toEqual(expected);
    });

    it('two bypassed nodes with a knot between', () => {
      const second = {
        ...filter,
        id: 7,
        inputs: [
          socket('model', 'MODEL', null),
          socket('strength', 'FLOAT', null, true),
          socket('any', '*', 4),
        ],
      };
      const more = [...links, [4, 5, 0, 7, 2, '*'], [5, 7, 0, 2, 0, 'CLIP']];
      const nodes = [loader, filter, knot(5, 'Reroute', 3), second, encode(5)];
      expect(inputsOf(workflow(nodes, more))).toEqual(expected);
    });

    it('a subgraph’s untyped input', () => {
      const subgraph = {
        id: 'inner',
        name: 'Inner',
        inputs: [{ id: 'a', name: 'clip', type: '*' }],
        outputs: [],
        nodes: [{ ...encode(1), id: 8 }],
        links: [{ id: 1, origin_id: -10, origin_slot: 0, target_id: 8, target_slot: 0, type: '*' }],
      };
      const instance = { id: 9, type: 'inner', inputs: [socket('clip', '*', 3)], outputs: [] };
      const value = workflow(
        [loader, filter, instance],
        [...links.slice(0, 2), [3, 4, 0, 9, 0, '*']],
        { definitions: { subgraphs: [subgraph] } },
      );
      expect(inputsOf(value)).toEqual({
        1: { name: 'a.ckpt' },
        '9:8': { text: 'hello', clip: ['1', 1] },
      });
    });
  });

  it('puts a primitive’s value in place of the widget’s', () => {
    const sample = {
      id: 3,
      type: 'Sample',
      inputs: [socket('seed', 'INT', 1, true)],
      widgets_values: [5, 'fixed', 30, 'heun', 0.5],
    };
    const primitive = { id: 8, type: 'PrimitiveNode', widgets_values: [123, 'randomize'] };
    const value = workflow([primitive, sample], [[1, 8, 0, 3, 0, 'INT']]);
    expect(inputsOf(value)).toEqual({
      3: { seed: 123, steps: 30, sampler: 'heun', denoise: 0.5 },
    });
  });

  it('reads schema 1 with object links', () => {
    const value = workflow(
      [loader, encode(1)],
      [{ id: 1, origin_id: 1, origin_slot: 1, target_id: 2, target_slot: 0, type: 'CLIP' }],
    );
    expect(inputsOf({ ...value, version: 1 })['2']).toEqual({ text: 'hello', clip: ['1', 1] });
  });
});

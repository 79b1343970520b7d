/** Use Everywhere: links that only the editor knows of. */
import { describe, expect, it } from 'vitest';
import { type Loose, info, inputsOf, loader, socket, workflow } from './files.ts';

const wire = (type: string) => ({ name: type, type });
const encode = (id: number, more: Loose = {}): Loose => ({
  id,
  type: 'Encode',
  inputs: [socket('clip', 'CLIP', null)],
  outputs: [wire('COND')],
  widgets_values: ['hello'],
  ...more,
});
const sender = (id: number, links: number[], more: Loose = {}): Loose => ({
  id,
  type: 'Anything Everywhere',
  inputs: links.map((link, i) => socket(`anything${i}`, '*', link)),
  ...more,
});
const clips = (file: unknown): unknown[] =>
  Object.values(inputsOf(file) as Record<string, { clip?: unknown }>).map(({ clip }) => clip);
/** The loader's second output on the way to a node. */
const fromLoader = (id: number, target: number) => [id, 1, 1, target, 0, 'CLIP'];

describe('Use Everywhere', () => {
  it('sends a value to every input of its type that nothing is linked to', () => {
    const second = { ...loader, id: 20 };
    const linked = encode(3, { inputs: [socket('clip', 'CLIP', 8)] });
    const file = workflow(
      [loader, second, encode(2), linked, encode(4, { mode: 2 }), sender(5, [1])],
      [fromLoader(1, 5), [8, 20, 1, 3, 0, 'CLIP']],
    );
    expect(inputsOf(file)).toEqual({
      1: { name: 'a.ckpt' },
      2: { text: 'hello', clip: ['1', 1] },
      3: { text: 'hello', clip: ['20', 1] },
      20: { name: 'a.ckpt' },
    });
  });

  it('sends nothing where two of the same rank would, and the nearer rule where not', () => {
    const second = { ...loader, id: 20 };
    const both = (more: Loose) =>
      workflow(
        [loader, second, encode(2), sender(5, [1]), sender(6, [2], more)],
        [fromLoader(1, 5), [2, 20, 1, 6, 0, 'CLIP']],
      );
    expect(clips(both({}))[1]).toBeUndefined();
    expect(clips(both({ properties: { ue_properties: { priority: 50 } } }))[1]).toEqual(['20', 1]);
    expect(clips(both({ properties: { ue_properties: { title_regex: 'Enc' } } }))[1]).toEqual([
      '20',
      1,
    ]);
    expect(clips(both({ properties: { ue_properties: { title_regex: 'Dec' } } }))[1]).toEqual([
      '1',
      1,
    ]);
    expect(clips(both({ properties: { ue_properties: { group_restricted: 1 } } }))[1]).toEqual([
      '1',
      1,
    ]);
    expect(clips(both({ mode: 4 }))[1]).toEqual(['1', 1]);
  });

  it('goes by titles, names and their patterns where it has some', () => {
    const somewhere = (...widgets_values: string[]) =>
      workflow(
        [
          loader,
          encode(2, { title: 'Mine' }),
          encode(3),
          sender(5, [1], { type: 'Anything Everywhere?', widgets_values }),
        ],
        [fromLoader(1, 5)],
      );
    expect(clips(somewhere('Mine', '.*', '.*'))).toEqual([undefined, ['1', 1], undefined]);
    expect(clips(somewhere('.*', 'cl.p', ''))).toEqual([undefined, ['1', 1], ['1', 1]]);
    expect(clips(somewhere('.*', 'xyz', ''))).toEqual([undefined, undefined, undefined]);
    // A group is not looked for, and what may take for ever is not tried.
    expect(clips(somewhere('.*', '.*', 'group'))).toEqual([undefined, undefined, undefined]);
    expect(clips(somewhere('(a+)+$', '.*', ''))).toEqual([undefined, undefined, undefined]);
    expect(clips(somewhere('(', '.*', ''))).toEqual([undefined, undefined, undefined]);
  });

  it('tells prompts and seeds by what inputs are called', () => {
    const objects = {
      ...info,
      Take: { input: { required: { positive: ['COND'], negative: ['COND'] } } },
      'Seed Everywhere': { input: { required: { seed: ['INT', {}] } }, output: ['INT'] },
      Noise: { input: { required: { noise_seed: ['INT', { forceInput: true }] } } },
    } as const;
    const taking = { inputs: [socket('positive', 'COND', null), socket('negative', 'COND', null)] };
    const file = workflow(
      [
        encode(2),
        encode(3),
        { id: 4, type: 'Take', ...taking },
        {
          id: 5,
          type: 'Prompts Everywhere',
          inputs: [socket('+ve', '*', 1), socket('-ve', '*', 2)],
        },
        { id: 6, type: 'Seed Everywhere', outputs: [wire('INT')], widgets_values: [7] },
        { id: 7, type: 'Noise', inputs: [socket('noise_seed', 'INT', null)] },
      ],
      [
        [1, 2, 0, 5, 0, 'COND'],
        [2, 3, 0, 5, 1, 'COND'],
      ],
    );
    const inputs = inputsOf(file, objects) as Record<string, Loose>;
    expect(inputs['4']).toEqual({ positive: ['2', 0], negative: ['3', 0] });
    expect(inputs['6']).toEqual({ seed: 7 });
    expect(inputs['7']).toEqual({ noise_seed: ['6', 0] });
  });

  it('makes the links that the file says, and no others', () => {
    const saved = [
      { downstream: 3, downstream_slot: 0, upstream: '1', upstream_slot: 1, type: 'CLIP' },
      { downstream: 99, downstream_slot: 0, upstream: '1', upstream_slot: 1 },
      'nonsense',
    ];
    const file = workflow([loader, encode(2), encode(3), sender(5, [1])], [fromLoader(1, 5)], {
      extra: { ue_links: saved },
    });
    expect(clips(file)).toEqual([undefined, undefined, ['1', 1]]);
  });
});

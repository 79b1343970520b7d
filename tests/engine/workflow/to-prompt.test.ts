import { describe, expect, it } from 'vitest';
import { Float, parseJson } from '../../../engine/workflow/lossless-json.ts';
import { workflowToPrompt } from '../../../engine/workflow/to-prompt.ts';
import type { ApiPrompt, ObjectInfo } from '../../../engine/workflow/types.ts';

const info: ObjectInfo = {
  Loader: {
    input: { required: { name: [['a.ckpt', 'b.ckpt']] } },
    output: ['MODEL', 'CLIP'],
    display_name: 'Load it',
  },
  Encode: {
    input: { required: { text: ['STRING', { dynamicPrompts: true }], clip: ['CLIP'] } },
    output: ['COND'],
  },
  Sample: {
    input: {
      required: {
        model: ['MODEL'],
        seed: ['INT', { default: 7 }],
        steps: ['INT', { default: 20 }],
        sampler: [['euler', 'heun']],
        cond: ['COND'],
      },
      optional: { denoise: ['FLOAT', { default: 1 }] },
    },
    output: ['LATENT'],
  },
  Image: {
    input: { required: { image: [['x.png'], { image_upload: true }] } },
    output: ['IMAGE'],
  },
  Filter: {
    input: { required: { model: ['MODEL'], strength: ['FLOAT', { default: 1 }], clip: ['CLIP'] } },
    output: ['MODEL', 'CLIP'],
  },
  Forced: {
    input: { required: { a: ['INT', { forceInput: true }], b: ['INT', { default: 1 }] } },
    output: ['INT'],
  },
  Multi: {
    input: { required: { choices: ['COMBO', { options: ['a', 'b'], multiselect: true }] } },
  },
  SaveImage: { input: { required: { images: ['IMAGE'], filename_prefix: ['STRING'] } } },
};

type Loose = Record<string, unknown>;

const socket = (name: string, type: string, link: number | null, widget = false): Loose => ({
  name,
  type,
  link,
  ...(widget && { widget: { name } }),
});

const workflow = (nodes: Loose[], links: unknown[], more: Loose = {}): Loose => ({
  nodes,
  links,
  version: 0.4,
  ...more,
});

const inputsOf = (value: unknown): Record<string, unknown> => {
  const { prompt } = workflowToPrompt(value, info, { random: () => 0 });
  return Object.fromEntries(Object.entries(prompt).map(([id, { inputs }]) => [id, inputs]));
};

const loader = { id: 1, type: 'Loader', widgets_values: ['a.ckpt'], outputs: [] };

describe('widgets_values', () => {
  const sample = (values: unknown, inputs: Loose[] = []): unknown =>
    inputsOf(workflow([{ id: 3, type: 'Sample', inputs, widgets_values: values }], []))['3'];

  it('knows the slot of control after generate', () => {
    const expected = { seed: 5, steps: 30, sampler: 'heun', denoise: 0.5 };
    expect(sample([5, 'randomize', 30, 'heun', 0.5])).toEqual(expected);
    expect(sample([5, true, 30, 'heun', 0.5])).toEqual(expected);
    expect(sample([5, 30, 'heun', 0.5])).toEqual(expected);
  });

  it('fills in defaults for missing values and holes', () => {
    expect(sample([5, 'fixed', null])).toEqual({
      seed: 5,
      steps: 20,
      sampler: 'euler',
      denoise: 1,
    });
    expect(sample(undefined)).toEqual({ seed: 7, steps: 20, sampler: 'euler', denoise: 1 });
  });

  it('reads values by name', () => {
    expect(sample({ steps: 3, other: 1 })).toMatchObject({ steps: 3, seed: 7 });
  });

  it('leaves out upload buttons and dummies of forced inputs', () => {
    const nodes = [
      { id: 1, type: 'Image', widgets_values: ['y.png', 'image'] },
      { id: 2, type: 'Forced', widgets_values: [99, 4] },
      { id: 3, type: 'Forced', widgets_values: [4] },
    ];
    expect(inputsOf(workflow(nodes, []))).toEqual({
      1: { image: 'y.png' },
      2: { b: 4 },
      3: { b: 4 },
    });
  });

  it('wraps lists, keeps 64-bit seeds and floats', () => {
    const multi = { id: 1, type: 'Multi', widgets_values: [['a', 'b']] };
    expect(inputsOf(workflow([multi], []))['1']).toEqual({ choices: { __value__: ['a', 'b'] } });
    const text =
      '{"nodes":[{"id":3,"type":"Sample","widgets_values":[18446744073709551615,"fixed",5.0]}]}';
    const { prompt } = workflowToPrompt(parseJson(text), info);
    expect(prompt['3'].inputs.seed).toBe(18446744073709551615n);
    expect(prompt['3'].inputs.steps).toEqual(new Float(5));
  });

  it('warns where the stored values cannot be right', () => {
    const { warnings } = workflowToPrompt(
      workflow([{ id: 3, type: 'Sample', widgets_values: ['what', 'fixed', 1] }], []),
      info,
    );
    expect(warnings.join()).toContain('node 3 (Sample)');
  });

  it('guesses for unknown classes by their widget slots', () => {
    const node = {
      id: 9,
      type: 'Strange',
      inputs: [
        socket('model', 'MODEL', 1),
        socket('noise_seed', 'INT', null, true),
        socket('mode', 'COMBO', null, true),
      ],
      outputs: [],
      widgets_values: [5, 'fixed', 'fast'],
    };
    const result = workflowToPrompt(workflow([loader, node], [[1, 1, 0, 9, 0, 'MODEL']]), info);
    expect(result.prompt['9'].inputs).toEqual({ noise_seed: 5, mode: 'fast', model: ['1', 0] });
    expect(result.warnings.join()).toContain('Strange');
    const note = { id: 2, type: 'Some Label (pack)', inputs: [], outputs: [] };
    expect(Object.keys(workflowToPrompt(workflow([loader, note], []), info).prompt)).toEqual(['1']);
  });
});

describe('links', () => {
  const encode = (link: number, more: Loose = {}): Loose => ({
    id: 2,
    type: 'Encode',
    inputs: [socket('clip', 'CLIP', link)],
    widgets_values: ['hello'],
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
    const reroute = (id: number, link: number): Loose => ({
      id,
      type: 'Reroute',
      inputs: [socket('', '*', link)],
      outputs: [{ name: '', type: 'CLIP' }],
    });
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

  it('drops muted nodes and the inputs that came from them', () => {
    const muted = workflow([{ ...loader, mode: 2 }, encode(1)], [[1, 1, 1, 2, 0, 'CLIP']]);
    expect(inputsOf(muted)).toEqual({ 2: { text: 'hello' } });
  });

  it('goes round bypassed nodes by type', () => {
    const filter = {
      id: 4,
      type: 'Filter',
      mode: 4,
      inputs: [
        socket('model', 'MODEL', 1),
        socket('strength', 'FLOAT', null, true),
        socket('clip', 'CLIP', 2),
      ],
      outputs: [
        { name: 'MODEL', type: 'MODEL' },
        { name: 'CLIP', type: 'CLIP' },
      ],
    };
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
    const filter = {
      id: 4,
      type: 'Filter',
      mode: 4,
      inputs: [
        socket('model', 'MODEL', 1),
        socket('strength', 'FLOAT', null, true),
        socket('clip', 'CLIP', 2),
      ],
      outputs: [
        { name: 'CLIP', type: 'CLIP' },
        { name: 'MODEL', type: 'MODEL' },
      ],
    };
    const knot = (id: number, type: string, link: number, more: Loose = {}): Loose => ({
      id,
      type,
      inputs: [socket('', '*', link)],
      outputs: [{ name: '', type: '*' }],
      ...more,
    });
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

describe('subgraphs', () => {
  const inner = (type: string): Loose => ({
    id: type,
    name: 'Inner',
    inputs: [
      { id: 'a', name: 'clip', type: 'CLIP' },
      { id: 'b', name: 'text', type: 'STRING' },
    ],
    outputs: [{ id: 'c', name: 'COND', type: 'COND' }],
    nodes: [
      {
        id: 5,
        type: 'Encode',
        inputs: [socket('clip', 'CLIP', 1), socket('text', 'STRING', 2, true)],
        outputs: [{ name: 'COND', type: 'COND' }],
        widgets_values: ['inside'],
      },
    ],
    links: [
      { id: 1, origin_id: -10, origin_slot: 0, target_id: 5, target_slot: 0, type: 'CLIP' },
      { id: 2, origin_id: -10, origin_slot: 1, target_id: 5, target_slot: 1, type: 'STRING' },
      { id: 3, origin_id: 5, origin_slot: 0, target_id: -20, target_slot: 0, type: 'COND' },
    ],
  });
  const instance = (more: Loose = {}): Loose => ({
    id: 12,
    type: 'uuid-1',
    inputs: [socket('clip', 'CLIP', 1)],
    outputs: [{ name: 'COND', type: 'COND' }],
    ...more,
  });
  const sample = { id: 3, type: 'Sample', inputs: [socket('cond', 'COND', 2)], widgets_values: [] };
  const links = [
    [1, 1, 1, 12, 0, 'CLIP'],
    [2, 12, 0, 3, 0, 'COND'],
  ];
  const build = (more: Loose = {}): Loose =>
    workflow([loader, instance(more), sample], links, {
      definitions: { subgraphs: [inner('uuid-1')] },
    });

  it('flattens with path ids', () => {
    const prompt = inputsOf(build());
    expect(prompt['12:5']).toEqual({ clip: ['1', 1], text: 'inside' });
    expect(prompt['3']).toMatchObject({ cond: ['12:5', 0] });
    expect(prompt['12']).toBeUndefined();
  });

  it.each<[string, Loose]>([
    ['one value per promoted input', { widgets_values: ['promoted'] }],
    [
      'proxied own inputs',
      { widgets_values: ['promoted'], properties: { proxyWidgets: [['-1', 'text']] } },
    ],
    [
      'proxied inner widgets',
      { widgets_values: ['promoted'], properties: { proxyWidgets: [['5', 'text']] } },
    ],
  ])('takes promoted values: %s', (_, more) => {
    expect(inputsOf(build(more))['12:5']).toEqual({ clip: ['1', 1], text: 'promoted' });
  });

  it('keeps inner values where the instance stores none', () => {
    const more = { widgets_values: [], properties: { proxyWidgets: [['5', 'text']] } };
    expect(inputsOf(build(more))['12:5']).toMatchObject({ text: 'inside' });
  });

  it('mutes and bypasses whole instances', () => {
    expect(Object.keys(inputsOf(build({ mode: 2 })))).toEqual(['1', '3']);
    expect(inputsOf(build({ mode: 2 }))['3']).not.toHaveProperty('cond');
    expect(inputsOf(build({ mode: 4 }))['3']).not.toHaveProperty('cond');
  });

  it('nests, and refuses a definition inside itself', () => {
    const outer = {
      ...inner('uuid-2'),
      nodes: [
        {
          ...instance(),
          id: 7,
          inputs: [socket('clip', 'CLIP', 1), socket('text', 'STRING', 2, true)],
        },
      ],
      links: [
        { id: 1, origin_id: -10, origin_slot: 0, target_id: 7, target_slot: 0, type: 'CLIP' },
        { id: 2, origin_id: -10, origin_slot: 1, target_id: 7, target_slot: 1, type: 'STRING' },
        { id: 3, origin_id: 7, origin_slot: 0, target_id: -20, target_slot: 0, type: 'COND' },
      ],
    };
    const nested = workflow([loader, { ...instance(), type: 'uuid-2' }, sample], links, {
      definitions: { subgraphs: [{ ...outer, definitions: { subgraphs: [inner('uuid-1')] } }] },
    });
    const prompt = inputsOf(nested);
    expect(prompt['12:7:5']).toEqual({ clip: ['1', 1], text: 'inside' });
    expect(prompt['3']).toMatchObject({ cond: ['12:7:5', 0] });

    const self = { ...inner('uuid-1'), nodes: [instance()], links: [] };
    const endless = workflow([instance()], [], { definitions: { subgraphs: [self] } });
    expect(() => workflowToPrompt(endless, info)).toThrow('nested');
  });
});

describe('texts', () => {
  it('settles choices and comments with the given random numbers', () => {
    const encode = (text: string): unknown =>
      inputsOf(workflow([{ id: 2, type: 'Encode', widgets_values: [text] }], []))['2'];
    expect(encode('a {red|{dark|light} blue} \\{b\\} // note')).toEqual({ text: 'a red {b} ' });
    expect(encode('{{x|y}|z} /* gone\n */end')).toEqual({ text: 'x end' });
    expect(encode('{open')).toEqual({ text: 'open' });
  });

  it('replaces date and widget tokens in saved names', () => {
    const save = (prefix: string): unknown =>
      workflowToPrompt(
        workflow(
          [
            {
              id: 1,
              type: 'Loader',
              widgets_values: ['a/b:c.ckpt'],
              properties: { 'Node name for S&R': 'Loader' },
            },
            { id: 2, type: 'SaveImage', widgets_values: [prefix] },
          ],
          [],
        ),
        info,
        { now: new Date(2025, 0, 2, 3, 4, 5) },
      ).prompt['2'].inputs.filename_prefix;
    expect(save('%date:yyyy-MM-dd_hhmmss%/%Loader.name%_%width%')).toBe(
      '2025-01-02_030405/a_b_c.ckpt_%width%',
    );
    expect(save('%date:yy-M-d%')).toBe('25-1-2');
    expect(save('%No.such%')).toBe('%No.such%');
  });
});

describe('hostile files', () => {
  it.each([null, [], 'x', {}, { nodes: 'no' }])('refuses %j', (value) => {
    expect(() => workflowToPrompt(value, info)).toThrow(TypeError);
  });

  it('survives nonsense inside', () => {
    const value = {
      nodes: [
        null,
        { id: {}, type: 'Loader' },
        { id: '__proto__', type: 'Loader', inputs: [null, { name: '__proto__', link: 1 }] },
        { id: 1, type: 'constructor', inputs: 'no', outputs: 3, widgets_values: 'x' },
      ],
      links: [null, [1], { id: 1, origin_id: '__proto__', origin_slot: 'x', target_id: 1 }],
      definitions: { subgraphs: [3, { id: 'x' }] },
      extra: { groupNodes: { a: null } },
    };
    const { prompt } = workflowToPrompt(value, info);
    expect(Object.hasOwn(prompt, '__proto__')).toBe(true);
    expect(({} as Record<string, unknown>).class_type).toBeUndefined();
  });
});

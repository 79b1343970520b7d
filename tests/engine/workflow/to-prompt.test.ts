import { describe, expect, it } from 'vitest';
import { Float, parseJson } from '../../../engine/workflow/lossless-json.ts';
import { workflowToPrompt } from '../../../engine/workflow/to-prompt.ts';
import { type Loose, info, inputsOf, loader, socket, workflow } from './files.ts';

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

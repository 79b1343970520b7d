/** What the rules find, and what an author makes of it. */
import { describe, expect, it } from 'vitest';
import { chosenForm } from '../../../../engine/workflow/form/choose-fields.ts';
import type { FormField } from '../../../../engine/workflow/form/form.ts';
import { makeForm } from '../../../../engine/workflow/form/make-form.ts';
import { checkValues, fillForm } from '../../../../engine/workflow/form/set-values.ts';
import type { Json } from '../../../../engine/workflow/lossless-json.ts';
import type { ApiPrompt } from '../../../../engine/workflow/types.ts';
import { info, prompt } from './classes.ts';

const fieldsOf = (file: unknown): readonly FormField[] => makeForm(file, info).fields;
const find = (fields: readonly FormField[], key: string) =>
  fields.find((each) => each.key === key)!;

describe('the rules', () => {
  it('find prompts, size, seed, steps, guidance and models, and name them', () => {
    const fields = fieldsOf(prompt());
    expect(
      fields.filter(({ advanced }) => !advanced).map(({ name, kind }) => `${name} ${kind}`),
    ).toEqual([
      'prompt longtext',
      'negative_prompt longtext',
      'width int',
      'height int',
      'batch int',
      'seed seed',
      'steps int',
      'cfg float',
      'sampler select',
      'scheduler select',
      'denoise float',
      'checkpoint model',
    ]);
    expect(find(fields, '9.filename_prefix')).toMatchObject({
      advanced: true,
      section: 'SaveImage',
    });
  });

  it('give limits and defaults of the class, and ranges that make sense', () => {
    const fields = fieldsOf(prompt());
    expect(find(fields, '3.steps')).toMatchObject({
      ...{ default: 20, min: 1, max: 10000, slider: { min: 1, max: 150, step: 1 } },
      ...{ help: 'How often', label: 'Steps', role: 'steps' },
    });
    expect(find(fields, '5.height')).toMatchObject({ default: 768, step: 8, role: 'height' });
    expect(find(fields, '3.sampler_name').options).toEqual(['euler', 'heun']);
    // Of a prompt its label says enough.
    expect(find(fields, '6.text').help).toBe('');
  });

  it('tell wanted words from unwanted ones by where they go, whatever the order', () => {
    const swapped = prompt();
    swapped['3'].inputs.positive = ['7', 0];
    swapped['3'].inputs.negative = ['6', 0];
    const fields = fieldsOf(swapped);
    expect([find(fields, '7.text').role, find(fields, '6.text').role]).toEqual([
      ...['positive', 'negative'],
    ]);
  });

  it('know pictures, masks, switches, LoRAs and values that several inputs take', () => {
    const file = prompt({
      10: { class_type: 'LoadImage', inputs: { image: 'a.png' } },
      11: { class_type: 'LoadImageMask', inputs: { image: 'a.png', channel: 'red' } },
      12: { class_type: 'Switch', inputs: { on: true } },
      13: {
        class_type: 'LoraLoader',
        inputs: {
          ...{ lora_name: 'x.safetensors', strength_model: 1, strength_clip: 0.5 },
          ...{ model: ['4', 0], clip: ['4', 1] },
        },
      },
      14: { class_type: 'PrimitiveInt', inputs: { value: 30 }, _meta: { title: 'How many steps' } },
      15: { class_type: 'SaveImage', inputs: { images: ['10', 1], filename_prefix: 'mask' } },
    });
    file['3'].inputs.steps = ['14', 0];
    const fields = fieldsOf(file);
    expect(find(fields, '10.image')).toMatchObject({
      kind: 'image',
      category: 'media',
      masked: true,
    });
    expect(find(fields, '11.image')).toMatchObject({ kind: 'mask', masked: false });
    expect(find(fields, '12.on')).toMatchObject({ kind: 'bool', advanced: true });
    expect(find(fields, '13.lora_name')).toMatchObject({ kind: 'model', category: 'model' });
    expect(find(fields, '13.strength_model')).toMatchObject({
      ...{ category: 'model', min: -100, max: 100, slider: { min: -2, max: 2, step: 0.05 } },
    });
    expect(find(fields, '14.value')).toMatchObject({
      ...{ label: 'How many steps', name: 'steps', min: 1, targets: ['14.value'] },
    });
    expect(fields.some(({ key }) => key === '3.steps')).toBe(false);
  });

  it('name fields the same however nodes are ordered, and no two alike', () => {
    const two = prompt({
      20: {
        class_type: 'CLIPTextEncode',
        inputs: { text: 'more', clip: ['4', 1] },
        _meta: { title: 'Sky' },
      },
    });
    const names = fieldsOf(two).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(fieldsOf(two)).toEqual(fieldsOf(JSON.parse(JSON.stringify(two)) as ApiPrompt));
    expect(find(fieldsOf(two), '20.text')).toMatchObject({ label: 'Sky', name: 'sky' });
  });

  it('leave out what is linked, and nodes that nobody knows', () => {
    const file = prompt({ 30: { class_type: 'Nobody', inputs: { seed: 1 } } });
    expect(fieldsOf(file).some(({ node_id: id }) => id === '30')).toBe(false);
    expect(fieldsOf(file).some(({ input }) => input === 'clip')).toBe(false);
  });
});

describe('values', () => {
  const form = makeForm(prompt(), info);
  const problem = (name: string, value: Json) =>
    checkValues(form, { [name]: value }).problems[0]?.detail;

  it('keep to what their field takes', () => {
    expect(problem('steps', 0)).toBe('must be >= 1');
    expect(problem('steps', 1.5)).toBe('must be a whole number');
    expect(problem('cfg', 'x')).toBe('must be a number');
    expect(problem('prompt', 1)).toBe('must be a text');
    expect(problem('sampler', 'none')).toBe('must be one of euler, heun');
    expect(problem('seed', 2n ** 64n - 1n)).toBeUndefined();
    expect(problem('seed', 2n ** 64n)).toBe(`must be <= ${2 ** 64}`);
    expect(problem('nothing', 1)).toBe('is no field of this form');
  });

  it('go into a copy, whole numbers of real fields as reals', () => {
    const file = prompt();
    const values = new Map<string, Json>([
      ['3.cfg', 5],
      ['6.text', 'a moon'],
    ]);
    const filled = fillForm(file as never, form, values, info);
    expect(filled.prompt['6'].inputs.text).toBe('a moon');
    expect(JSON.stringify(filled.prompt['3'].inputs.cfg)).toContain('5');
    expect(file['6'].inputs.text).toBe('a star');
  });
});

describe('group nodes', () => {
  const place = { pos: [0, 0], size: [1, 1], mode: 0, order: 0, flags: {}, properties: {} };
  const inner = [
    { ...place, type: 'EmptyLatentImage', inputs: [], outputs: [], widgets_values: [8, 8, 1] },
    { ...place, type: 'CLIPTextEncode', inputs: [], outputs: [], widgets_values: ['inner'] },
  ];
  const file = (stored: Json[]) =>
    ({
      ...{ version: 0.4, last_node_id: 5, last_link_id: 0, links: [] },
      nodes: [{ ...place, id: 5, type: 'workflow>Pair', inputs: [], widgets_values: stored }],
      extra: { groupNodes: { Pair: { nodes: inner, links: [], external: [] } } },
    }) as unknown as { [key: string]: Json };

  it('keep what is filled in among the values of the group', () => {
    const given = file([512, 768, 1, 'a star']);
    const form = makeForm(given, info);
    expect(find(form.fields, '5:1.text').default).toBe('a star');
    const values = new Map<string, Json>([
      ['5:1.text', 'a moon'],
      ['5:0.height', 64],
    ]);
    const { file: filled } = fillForm(given, form, values, info);
    expect(filled.nodes).toMatchObject([{ widgets_values: [512, 64, 1, 'a moon'] }]);
    expect(filled.extra).toEqual(given.extra);
  });

  it('that have stored nothing run with the values all the same', () => {
    const given = file([]);
    const values = new Map<string, Json>([['5:1.text', 'a moon']]);
    const { prompt: made } = fillForm(given, makeForm(given, info), values, info);
    expect(made['5:1'].inputs.text).toBe('a moon');
  });
});

describe('an author', () => {
  const node = { pos: [0, 0], size: [1, 1], mode: 0, order: 0, flags: {}, properties: {} };
  const workflow = (extra: object = {}): { [key: string]: Json } =>
    ({
      ...{ version: 0.4, last_node_id: 5, last_link_id: 0, links: [], extra },
      nodes: [
        { ...node, id: 5, type: 'EmptyLatentImage', inputs: [], widgets_values: [512, 768, 1] },
        { ...node, id: 6, type: 'CLIPTextEncode', inputs: [], widgets_values: ['a'] },
      ],
    }) as unknown as { [key: string]: Json };

  it("chooses fields in ComfyUI's app mode; the others stay for programs", () => {
    const form = makeForm(
      workflow({
        linearData: {
          inputs: [
            [6, 'text', { description: 'Say it' }],
            [5, 'gone'],
          ],
          outputs: [],
        },
      }),
      info,
    );
    expect(form.source).toBe('app');
    expect(form.fields[0]).toMatchObject({ key: '6.text', help: 'Say it', hidden: false });
    expect(form.fields.slice(1).map(({ hidden }) => hidden)).toEqual([true, true, true]);
    expect(form.warnings).toEqual(['the form asks for gone of node 5, which is not there']);
  });

  it('gives limits and labels of his own, which are read again as they were written', () => {
    const { changed, unknown } = chosenForm(workflow(), info, {
      title: 'Postcards',
      fields: [
        { key: '5.width', label: 'Breadth', min: 64, max: 128, step: 8, section: 'Shape' },
        { key: '9.none' },
      ],
    });
    expect(unknown).toEqual(['9.none']);
    const form = makeForm(changed, info);
    expect(form).toMatchObject({ title: 'Postcards', source: 'app' });
    expect(form.fields[0]).toMatchObject({
      ...{ label: 'Breadth', name: 'width', section: 'Shape', min: 64, max: 128 },
      slider: { min: 64, max: 128, step: 8 },
    });
    expect(checkValues(form, { width: 256 }).problems).toMatchObject([
      { detail: 'must be <= 128' },
    ]);
    expect(makeForm(chosenForm(changed, info, { fields: null }).changed, info).source).toBe(
      'rules',
    );
  });
});

import { describe, expect, it } from 'vitest';
import { setInputs, setSeed } from '../../cli/set-inputs.ts';
import type { Json } from '../../engine/workflow/lossless-json.ts';
import type { ApiPrompt, ObjectInfo } from '../../engine/workflow/types.ts';

const make = (): ApiPrompt => ({
  6: { class_type: 'CLIPTextEncode', inputs: { text: 'a' }, _meta: { title: 'Positive' } },
  7: { class_type: 'CLIPTextEncode', inputs: { text: 'b' }, _meta: { title: 'Negative' } },
  '12:5': { class_type: 'KSampler', inputs: { seed: 1, steps: 20, model: ['4', 0] } },
  '9.1': { class_type: 'Noise', inputs: { noise_seed: ['8', 0] } },
});

const info: ObjectInfo = {
  CLIPTextEncode: {
    input: { required: { text: ['STRING', { multiline: true }] } },
    output: ['CONDITIONING'],
  },
  KSampler: {
    input: {
      required: {
        seed: ['INT', { min: 0, max: 2 ** 64 }],
        steps: ['INT', { min: 1, max: 10000 }],
        cfg: ['FLOAT', { min: 0, max: 100 }],
      },
    },
    output: ['LATENT'],
  },
};
const set = (assignments: readonly string[], workflow?: Json) =>
  setInputs({ prompt: make(), workflow, warnings: [] }, assignments, () => Promise.resolve(info));

describe('setInputs', () => {
  it('finds nodes by id, title and class, and reads values as JSON or text', async () => {
    const { prompt, warnings } = await set([
      '6.text=a blue = star',
      'Negative.text="quoted"',
      'KSampler.steps=30',
      '12:5.cfg=7.5',
      '9.1.images.image0=["6",0]',
      '12:5.list=[1,2,3]',
    ]);
    expect(prompt['6'].inputs.text).toBe('a blue = star');
    expect(prompt['7'].inputs.text).toBe('quoted');
    expect(prompt['12:5'].inputs).toMatchObject({
      steps: 30,
      cfg: 7.5,
      list: { __value__: [1, 2, 3] },
    });
    expect(prompt['9.1'].inputs['images.image0']).toEqual(['6', 0]);
    // Of a class that nobody knows nothing can be said.
    expect(warnings).toEqual(["--set 12:5.list: KSampler has no input 'list' (seed, steps, cfg)"]);
  });

  it('takes fields of the form by name, into the prompt and into the workflow', async () => {
    const workflow = {
      ...{ version: 0.4, last_node_id: 6, last_link_id: 0, links: [] },
      nodes: [
        {
          ...{ id: 6, type: 'CLIPTextEncode', title: 'Words', pos: [0, 0], size: [1, 1] },
          ...{ mode: 0, order: 0, flags: {}, inputs: [], properties: {}, widgets_values: ['a'] },
        },
      ],
    };
    const read = await set(['words=7', '12:5.steps=30'], workflow);
    expect(read.prompt['6'].inputs.text).toBe('7');
    expect(read.prompt['12:5'].inputs.steps).toBe(30);
    expect(read.workflow).toMatchObject({ nodes: [{ widgets_values: ['7'] }] });
    const { prompt } = await set(['steps=12', 'seed=9']);
    expect(prompt['12:5'].inputs).toMatchObject({ steps: 12, seed: 9 });
  });

  it.each([
    ['nothing', 'NODE.INPUT=VALUE'],
    ['6=x', 'where NAME is a field of the form (positive'],
    ['steps=0', 'a value that must be >= 1'],
    ['99.text=x', 'a node of the workflow'],
    ['CLIPTextEncode.text=x', 'the id of one node (6, 7)'],
  ])('refuses %j', async (assignment, message) => {
    await expect(set([assignment])).rejects.toThrow(message);
  });
});

describe('setSeed', () => {
  it('sets constant seeds, up to 64 bits', () => {
    const prompt = make();
    expect(setSeed(prompt, '42')).toBe(42n);
    expect(prompt['12:5'].inputs.seed).toBe(42);
    setSeed(prompt, '18446744073709551615');
    expect(prompt['12:5'].inputs.seed).toBe(18446744073709551615n);
    expect(prompt['9.1'].inputs.noise_seed).toEqual(['8', 0]);
    expect(typeof setSeed(prompt, 'random')).toBe('bigint');
  });

  it.each(['-1', '1.5', 'x', '18446744073709551616'])('refuses %j', (text) => {
    expect(() => setSeed(make(), text)).toThrow('--seed');
  });

  it('says when there is no seed', () => {
    expect(() => setSeed({ 1: { class_type: 'A', inputs: {} } }, '1')).toThrow('without');
  });
});

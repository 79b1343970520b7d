import { describe, expect, it } from 'vitest';
import { setInputs, setSeed } from '../../cli/set-inputs.ts';
import type { ApiPrompt } from '../../engine/workflow/types.ts';

const make = (): ApiPrompt => ({
  6: { class_type: 'CLIPTextEncode', inputs: { text: 'a' }, _meta: { title: 'Positive' } },
  7: { class_type: 'CLIPTextEncode', inputs: { text: 'b' }, _meta: { title: 'Negative' } },
  '12:5': { class_type: 'KSampler', inputs: { seed: 1, steps: 20, model: ['4', 0] } },
  '9.1': { class_type: 'Noise', inputs: { noise_seed: ['8', 0] } },
});

describe('setInputs', () => {
  it('finds nodes by id, title and class, and reads values as JSON or text', () => {
    const prompt = make();
    setInputs(prompt, [
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
  });

  it.each([
    ['nothing', 'NODE.INPUT=VALUE'],
    ['6=x', 'NODE.INPUT=VALUE'],
    ['99.text=x', 'a node of the workflow'],
    ['CLIPTextEncode.text=x', 'the id of one node (6, 7)'],
  ])('refuses %j', (assignment, message) => {
    expect(() => setInputs(make(), [assignment])).toThrow(message);
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

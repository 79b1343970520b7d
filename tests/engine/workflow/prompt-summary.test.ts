import { expect, test } from 'vitest';
import { parseJson } from '../../../engine/workflow/lossless-json.ts';
import { promptSummary } from '../../../engine/workflow/prompt-summary.ts';

test('the words before the sampler count, and its seed digit for digit', () => {
  const prompt = parseJson(`{
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["4", 1]}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": " a red fox ", "clip": ["4", 1]}},
    "8": {"class_type": "ControlNetApply", "inputs": {"strength": 1.0, "conditioning": ["6", 0]}},
    "3": {"class_type": "KSampler", "inputs": {"seed": 18446744073709551615, "positive": ["8", 0], "negative": ["7", 0]}}
  }`);
  expect(promptSummary(prompt)).toEqual({
    text: 'a red fox',
    seed: '18446744073709551615',
    nodes: 4,
  });
});

test('texts and seeds may come from other nodes, also round in circles', () => {
  const prompt = {
    1: { class_type: 'PrimitiveString', inputs: { value: 'a boat' } },
    2: { class_type: 'CLIPTextEncode', inputs: { text: ['1', 0], clip: ['2', 0] } },
    3: { class_type: 'RandomNoise', inputs: { noise_seed: ['5', 0] } },
    4: { class_type: 'SamplerCustomAdvanced', inputs: { guider: ['2', 0], noise: ['3', 0] } },
    5: { class_type: 'PrimitiveInt', inputs: { value: 7 } },
  };
  expect(promptSummary(prompt)).toEqual({ text: 'a boat', seed: '7', nodes: 5 });
});

test('what is no prompt says nothing', () => {
  for (const value of [null, 'text', [1], {}, { 1: null, 2: { class_type: 3 } }]) {
    expect(promptSummary(value)).toEqual({ text: '', seed: null, nodes: 0 });
  }
});

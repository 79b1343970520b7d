import { describe, expect, test } from 'vitest';
import { nd, zeros } from '../../../engine/array/nd.ts';
import { families } from '../../../engine/arch/families/index.ts';
import type { Condition } from '../../../engine/arch/family.ts';
import type { ConditioningEntry } from '../../../engine/sampling/conditioning.ts';
import { latentFormats } from '../../../engine/sampling/latent/formats.ts';
import { callTensors, conditionTensors } from '../../../engine/values/conditions.ts';
import { runMemory } from '../../support/run-memory.ts';

const latentShape = [1, 16, 4, 6];
const cross = zeros([1, 7, 8]);

/** What a network of Flux's latents is told of an entry: shapes of the inputs. */
function told(condition: Condition, entry: Partial<ConditioningEntry>) {
  const run = { latentShape, noise: zeros(latentShape) };
  return conditionTensors([condition], { cross, ...entry }, run, latentFormats.Flux);
}

const shapes = (tensors: ReturnType<typeof told>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, { value }]) => [name, value.shape]));

describe('conditions', () => {
  // as ComfyUI has it; what transformers read of a longer text would be another picture
  test('texts are repeated up to one another for UNets and stage C alone', () => {
    const repeating = families.filter(({ repeatsText }) => repeatsText).map(({ name }) => name);
    expect(repeating.sort()).toEqual([
      'cascade-c',
      'playground-2.5',
      'sd-x4-upscaler',
      'sd1',
      'sd2',
      'sd2-unclip',
      'sdxl',
      'sdxl-refiner',
      'zero123',
    ]);
  });

  test('states of a language model: those of the first layers', () => {
    const states: Condition = { kind: 'states', count: 2, width: 3 };
    const of = (shape: number[]) => ({ extra: { conditioning_llama3: zeros(shape) } });
    expect(shapes(told(states, of([1, 4, 5, 3])))).toEqual({ states: [1, 2, 5, 3] });
    expect(() => told(states, {})).toThrow('expected those of 2 layers, width 3, got none');
    expect(() => told(states, of([1, 1, 5, 3]))).toThrow('got 1 layers, width 3');
    expect(() => told(states, of([1, 4, 5, 9]))).toThrow('got 4 layers, width 9');
  });

  test('a picture beside the latent is in its units and as high', () => {
    const { scale, shift } = latentFormats.Flux;
    const latent = nd(new Float32Array(16 * 4 * 9).fill(1), [1, 16, 4, 9]);
    const { beside } = told({ kind: 'beside' }, { concatLatent: latent });
    expect(beside.value.shape).toEqual([1, 16, 4, 9]);
    expect(beside.value.data[0]).toBeCloseTo((1 - shift!) * scale);
    expect(told({ kind: 'beside' }, {})).toEqual({});
    expect(() => told({ kind: 'beside' }, { concatLatent: zeros([1, 16, 5, 6]) })).toThrow(
      'expected 16 channels and 4 rows, as the latent has that is sampled, got 16 channels and 5 rows',
    );
  });

  test('a second text comes with masks', () => {
    const second: Condition = { kind: 'second-text', width: 3, atLeast: 4 };
    const extra = { attention_mask: zeros([1, 7]), attention_mask_mt5xl: zeros([1, 5]) };
    const all = { ...extra, conditioning_mt5xl: zeros([1, 5, 3]) };
    expect(shapes(told(second, { extra: all }))).toEqual({
      second: [1, 5, 3],
      mask: [1, 7],
      second_mask: [1, 5],
    });
    expect(() => told(second, { extra })).toThrow('expected 4 tokens or more, width 3, got none');
    expect(() => told(second, { extra: { ...all, attention_mask: undefined } })).toThrow(
      'got 5 tokens, width 3, without masks',
    );
    const short = { ...extra, conditioning_mt5xl: zeros([1, 3, 3]) };
    expect(() => told(second, { extra: short })).toThrow('got 3 tokens, width 3');
  });

  test('sizes aimed at are those of the picture unless conditioning says otherwise', () => {
    const sizes = (extra?: Record<string, unknown>) => [
      ...told({ kind: 'sizes', otherwise: 768 }, { extra }).sizes.value.data,
    ];
    expect(sizes()).toEqual([768, 768, 768, 768, 0, 0]);
    expect(sizes({ width: 64, height: 32 })).toEqual([32, 64, 32, 64, 0, 0]);
    expect(sizes({ width: 64, target_height: 8 })).toEqual([768, 64, 8, 64, 0, 0]);
  });
});

describe('the noise level that the sampler goes to', () => {
  const timesteps = Float32Array.of(500, 500);
  const goesTo = (sigma: number, conditions: readonly Condition[] = [{ kind: 'next-sigma' }]) =>
    callTensors(conditions, { sigma, timesteps, run: runMemory([1, 0.5, 0.25, 0]) });

  test('is told where it stops, for every row', () => {
    expect(goesTo(0.5)).toEqual({ next_sigma: { data: Float32Array.of(0.25, 0.25), shape: [2] } });
    expect(goesTo(0.4)).toEqual({});
    expect(goesTo(0)).toEqual({});
    expect(goesTo(0.5, [])).toEqual({});
  });
});

describe('pictures to look at', () => {
  const conditions: readonly Condition[] = [
    { kind: 'reference-words', width: 4 },
    { kind: 'reference-views', width: 6 },
  ];
  const latent = zeros([1, 16, 2, 2]);
  const toldAll = (extra: Record<string, unknown>) =>
    conditions.reduce(
      (all, condition) => ({ ...all, ...shapes(told(condition, { extra })) }),
      {} as Record<string, unknown>,
    );

  test('words and views count only beside them', () => {
    const words = [zeros([1, 3, 4]), zeros([1, 2, 4])];
    const view = { last: zeros([1, 6, 6]), grid: [2, 3] };
    const extra = { reference_latents_text_embeds: words, clip_vision_outputs: [view] };
    expect(toldAll(extra)).toEqual({});
    expect(toldAll({ ...extra, reference_latents: [latent] })).toEqual({
      words0: [1, 3, 4],
      words1: [1, 2, 4],
      view0: [1, 2, 3, 6],
    });
  });

  test('views that are no grid and words of another width are refused', () => {
    const seen = { last: zeros([1, 7, 6]), grid: [2, 3] };
    expect(() => toldAll({ reference_latents: [latent], clip_vision_outputs: [seen] })).toThrow(
      'a token for each of 2 x 3 patches',
    );
    const words = [zeros([1, 2, 5])];
    const extra = { reference_latents: [latent], reference_latents_text_embeds: words };
    expect(() => toldAll(extra)).toThrow('width 4');
  });
});

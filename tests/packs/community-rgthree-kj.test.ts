/**
 * The community pack: rgthree's contexts and values, more of KJNodes. Sums Σ v·(i mod 7 + 1) of
 * tests/fixtures/community-colour-match.json come from the color-matcher library, called as KJNodes calls it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { NDArray } from '../../engine/node.ts';
import { graphOf, resultOf } from './support.ts';

const array = (shape: number[], data: number[]): NDArray => ({
  shape,
  data: Float32Array.from(data),
});

describe('rgthree', () => {
  it('large contexts show what small ones hand on unseen', async () => {
    const own = { model: 'm', steps: 20, sampler: 'euler', text_pos_g: 'a cat', mask: 'k' };
    const big = await resultOf('Context Big (rgthree)', own);
    expect(big).toHaveLength(23);
    expect([big[1], big[9], big[13], big[17], big[21]]).toEqual(['m', 20, 'euler', 'a cat', 'k']);
    const [small] = await resultOf('Context (rgthree)', { base_ctx: big[0], model: 'n' });
    const again = await resultOf('Context Switch Big (rgthree)', { ctx_01: null, ctx_02: small });
    expect([again[1], again[9]]).toEqual(['n', 20]);
    const merged = await resultOf('Context Merge Big (rgthree)', {
      ctx_01: big[0],
      ctx_02: { model: 'o', steps: null },
    });
    expect([merged[1], merged[9]]).toEqual(['o', 20]);
  });

  it('KSampler Config hands its settings on', async () => {
    const given = {
      steps_total: 30,
      refiner_step: 24,
      cfg: 8,
      sampler_name: 'euler',
      scheduler: 'karras',
    };
    expect(await resultOf('KSampler Config (rgthree)', given)).toEqual(Object.values(given));
  });

  it.each([
    ['STRING', 5, '5'],
    ['STRING (KSampler)', null, ''],
    ['FLOAT', '1.5', 1.5],
    ['FLOAT', 'x', 0],
    ['INT', '2.9', 2],
    ['INT', true, 1],
    ['BOOLEAN', '0', false],
    ['BOOLEAN', '0.5', true],
    ['BOOLEAN', 'None', false],
    ['BOOL', 'yes', true],
  ])('Power Primitive: %s of %j', async (type, value, expected) => {
    expect(await resultOf('Power Primitive (rgthree)', { type, value })).toEqual([expected]);
  });

  it('Power Primitive refuses other types; prompts are encoded where there is an encoder', async () => {
    const other = { type: 'IMAGE', value: 1 };
    await expect(resultOf('Power Primitive (rgthree)', other)).rejects.toThrow("got 'IMAGE'");
    const name = 'Power Prompt - Simple (rgthree)';
    expect(await resultOf(name, { prompt: 'a' })).toEqual([null, 'a']);
    const { made, result } = await graphOf(name, { prompt: 'a', opt_clip: ['4', 1] });
    expect(made).toEqual([['CLIPTextEncode', { clip: ['4', 1], text: 'a' }]]);
    expect(result).toEqual([['1', 0], 'a']);
  });
});

describe('KJNodes', () => {
  it('ColorMatch gives the colours that color-matcher gives', async () => {
    const stored = JSON.parse(
      readFileSync(new URL('../fixtures/community-colour-match.json', import.meta.url), 'utf8'),
    ) as {
      src: { shape: number[]; data: number[] };
      ref: { shape: number[]; data: number[] };
      rows: [string, number, number][];
    };
    const image_target = array(stored.src.shape, stored.src.data);
    const image_ref = array(stored.ref.shape, stored.ref.data);
    const context = { progress: () => undefined };
    for (const [method, strength, sum] of stored.rows) {
      const given = { image_target, image_ref, method, strength };
      const [out] = (await resultOf('ColorMatch', given, context)) as NDArray[];
      const own = out.data.reduce((total, v, i) => total + v * ((i % 7) + 1), 0);
      expect(Math.abs(own - sum), `${method} ${strength}`).toBeLessThan(1e-3);
    }
    const same = { image_target, image_ref, method: 'mkl', strength: 0 };
    expect((await resultOf('ColorMatch', same, context))[0]).toBe(image_target);
    const three = {
      ...same,
      strength: 1,
      image_target: array([3, 1, 1, 3], Array<number>(9).fill(0.5)),
    };
    const two = { ...three, image_ref: array([2, 1, 1, 3], Array<number>(6).fill(0.5)) };
    await expect(resultOf('ColorMatch', two, context)).rejects.toThrow(/1 or 3 pictures, got 2/);
  });

  it('channels are taken apart and put together', async () => {
    const image = array([1, 1, 2, 4], [1, 2, 3, 0.5, 4, 5, 6, 1]);
    const [red, green, blue, alpha] = (await resultOf('SplitImageChannels', {
      image,
    })) as NDArray[];
    expect([...red.data]).toEqual([1, 1, 1, 4, 4, 4]);
    expect([...alpha.data]).toEqual([0.5, 1]);
    const [back] = (await resultOf('MergeImageChannels', { red, green, blue, alpha })) as NDArray[];
    expect(back).toEqual(image);
    const plain = (await resultOf('MergeImageChannels', { red, green, blue }))[0] as NDArray;
    expect([...plain.data]).toEqual([1, 2, 3, 4, 5, 6]);
    const other = { red, green, blue: array([1, 1, 1, 3], [1, 1, 1]) };
    await expect(resultOf('MergeImageChannels', other)).rejects.toThrow(/one size/);
    const [signed] = (await resultOf('ImageNormalize_Neg1_To_1', {
      images: array([1, 1, 1, 3], [0, 0.5, 1]),
    })) as NDArray[];
    expect([...signed.data]).toEqual([-1, 0, 1]);
  });

  it('ranges of latents: of the batch, of the frames of a film', async () => {
    const range = async (shape: number[], start_index: number, num_frames: number) => {
      const data = Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i);
      const given = { latents: { samples: array(shape, data) }, start_index, num_frames };
      const [out] = (await resultOf('GetLatentRangeFromBatch', given)) as { samples: NDArray }[];
      return [out.samples.shape, [...out.samples.data]];
    };
    expect(await range([3, 1, 1, 2], 1, 1)).toEqual([
      [1, 1, 1, 2],
      [2, 3],
    ]);
    expect(await range([3, 1, 1, 2], -1, 2)).toEqual([
      [2, 1, 1, 2],
      [2, 3, 4, 5],
    ]);
    expect(await range([1, 2, 3, 1, 1], 1, -1)).toEqual([
      [1, 2, 2, 1, 1],
      [1, 2, 4, 5],
    ]);
    await expect(range([3, 1, 1, 2], 3, 1)).rejects.toThrow(/below 3/);
  });

  it('models pass, VAEs are loaded, switches choose', async () => {
    expect(await resultOf('PathchSageAttentionKJ', { model: 'm', sage_attention: 'auto' })).toEqual(
      ['m'],
    );
    const { made } = await graphOf('VAELoaderKJ', {
      vae_name: 'v.safetensors',
      device: 'cpu',
      weight_dtype: 'bf16',
    });
    expect(made).toEqual([['VAELoader', { vae_name: 'v.safetensors' }]]);
    expect(await resultOf('LazySwitchKJ', { switch: true, on_false: 1, on_true: 2 })).toEqual([2]);
  });

  it('widgets of other nodes become text', async () => {
    const prompt = {
      3: { class_type: 'KSampler', inputs: { seed: 5, cfg: 7.125, name: 'euler' } },
      9: { class_type: 'WidgetToString', inputs: { any_input: ['3', 0] } },
      '14:9': { class_type: 'WidgetToString', inputs: {} },
      '14:5': { class_type: 'X', inputs: { a: 'inside' } },
    };
    const workflow = { nodes: [{ id: 3, title: 'Mine' }] };
    const read = async (given: object) =>
      (
        await resultOf('WidgetToString', {
          ...{ id: 0, widget_name: '', return_all: false, prompt, unique_id: '9' },
          ...{ extra_pnginfo: { workflow }, ...given },
        })
      )[0];
    expect(await read({ widget_name: 'cfg' })).toBe('7.12');
    expect(await read({ id: 3, widget_name: 'cfg', allowed_float_decimals: 1 })).toBe('7.1');
    expect(await read({ node_title: 'Mine', widget_name: 'seed, name' })).toBe(
      'seed: 5, name: euler',
    );
    expect(await read({ return_all: true })).toBe('seed: 5, cfg: 7.12, name: euler');
    expect(await read({ id: 5, widget_name: 'a', unique_id: '14:9' })).toBe('inside');
    await expect(read({ widget_name: 'none' })).rejects.toThrow("has no 'none'");
    await expect(read({ id: 77, widget_name: 'a' })).rejects.toThrow(/id or title/);
  });
});

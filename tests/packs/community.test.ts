/**
 * The community pack: interfaces in short, and what its nodes compute. Numbers in
 * tests/fixtures/community.json were computed by running the packs' own nodes on torch and Pillow; of
 * most arrays it holds the shape and Σ v·(i mod 7 + 1).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blurBytes } from '../../custom_nodes/community/box-blur.ts';
import { nodes } from '../../custom_nodes/community/index.ts';
import type { NDArray } from '../../engine/node.ts';
import { nodeInfo } from '../../engine/graph/object-info.ts';
import { stringifyJson } from '../../engine/workflow/lossless-json.ts';
import { builtinNodes } from '../../nodes/index.ts';
import { referenceChoices } from '../support/object-info.ts';

type Digest = readonly [shape: readonly number[], sum: number];

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument -- data of the fixture */
const reference: any = JSON.parse(
  readFileSync(new URL('../fixtures/community.json', import.meta.url), 'utf8'),
);

const stored = ({ shape, data }: any): NDArray => ({ shape, data: Float32Array.from(data) });
const [a, m, b] = [reference.a, reference.m, reference.b].map(stored);

const byName = new Map(nodes.map((node) => [node.name, node]));

async function call(name: string, inputs: Record<string, unknown>): Promise<unknown[]> {
  const result = await byName.get(name)!.run(inputs, {} as never);
  return ('result' in result ? result.result : result) as unknown[];
}

function expectLike(value: unknown, [shape, sum]: Digest): void {
  const x = value as NDArray;
  expect(x.shape).toEqual(shape);
  const own = x.data.reduce((total, v, i) => total + v * ((i % 7) + 1), 0);
  expect(Math.abs(own - sum)).toBeLessThan(1e-3);
}

describe('interfaces', () => {
  it('have names that no built-in node has, and are printed', () => {
    const builtin = builtinNodes();
    expect(byName.size).toBe(nodes.length);
    for (const node of nodes) {
      expect(builtin.has(node.name), node.name).toBe(false);
      expect(stringifyJson(nodeInfo(node, referenceChoices))).toContain(node.module);
    }
  });

  it('hold widgets and outputs in the order of saved workflows', () => {
    const lines = nodes.map(
      ({ name, inputs, outputs }) =>
        `${name}: ${Object.entries(inputs)
          .map(([key, { type, optional }]) => `${key}${optional ? '?' : ''} ${type}`)
          .join(', ')} -> ${outputs.map(({ type, name }) => name ?? type.toString()).join(', ')}`,
    );
    expect(lines).toMatchSnapshot();
  });
});

describe('pictures', () => {
  const essentials = { method: 'stretch', condition: 'always', multiple_of: 0 };

  it('ImageResize+', async () => {
    for (const [args, digest] of reference.resize) {
      const [out] = await call('ImageResize+', { ...essentials, image: a, ...args });
      expectLike(out, digest);
    }
  });

  it('ImageResizeKJv2', async () => {
    for (const [args, hasMask, picture, mask] of reference.kj2) {
      const given = { image: a, mask: hasMask ? m : undefined, ...args };
      const [out, , , outMask] = await call('ImageResizeKJv2', given);
      expectLike(out, picture);
      expectLike(outMask, mask);
    }
  });

  it('Image Resize (rgthree)', async () => {
    for (const [args, digest] of reference.rg) {
      const [out] = await call('Image Resize (rgthree)', { image: a, ...args });
      expectLike(out, digest);
    }
  });

  it('ImageResizeKJ keeps proportions and divides', async () => {
    const sizes = { width: 10, height: 10, divisible_by: 2, keep_proportion: true };
    const [, width, height] = await call('ImageResizeKJ', {
      ...{ image: a, upscale_method: 'bilinear' },
      ...sizes,
    });
    expect([width, height]).toEqual([10, 6]);
  });

  it('ImageConcanate', async () => {
    for (const [direction, match_image_size, digest] of reference.concat) {
      const [out] = await call('ImageConcanate', {
        ...{ image1: a, image2: b },
        ...{ direction, match_image_size },
      });
      expectLike(out, digest);
    }
  });

  it('colours, cuts and sharpens', async () => {
    expectLike((await call('ImageCASharpening+', { image: a, amount: 0.8 }))[0], reference.cas);
    expectLike((await call('ImagePosterize+', { image: a, threshold: 0.5 }))[0], reference.poster);
    for (const [method, digest] of reference.desat) {
      const [out] = await call('ImageDesaturate+', { image: a, factor: 0.6, method });
      expectLike(out, digest);
    }
    for (const [[width, height, position, x_offset, y_offset], [digest, x, y]] of reference.crop) {
      const cut = { image: a, width, height, position, x_offset, y_offset };
      const out = await call('ImageCrop+', cut);
      expectLike(out[0], digest);
      expect(out.slice(1)).toEqual([x, y]);
    }
  });
});

describe('masks', () => {
  it('are blurred as Pillow and torchvision do', async () => {
    for (const sigma of [0.7, 1.5, 4]) {
      const bytes = Array.from(blurBytes(m, sigma).data, (v) => Math.round(v * 255));
      expect(bytes).toEqual(reference[`blur${sigma.toFixed(1)}`]);
    }
    const [soft] = await call('MaskBlur+', { mask: m, amount: 4, device: 'auto' });
    expectLike(soft, reference.tvblur5);
  });

  it('BlockifyMask, DrawMaskOnImage, RemapMaskRange', async () => {
    const { shape, ones } = reference.mm;
    const data = new Float32Array(2 * 20 * 24);
    for (const i of ones) data[i] = 1;
    const [blocks] = await call('BlockifyMask', { masks: { shape, data }, block_size: 8 });
    expectLike(blocks, reference.block);
    const color = '255, 0, 0.5, 128';
    expectLike((await call('DrawMaskOnImage', { image: b, mask: m, color }))[0], reference.draw);
    expectLike(
      (await call('RemapMaskRange', { mask: m, min: -0.2, max: 1.5 }))[0],
      reference.remap,
    );
  });

  it('grow, and fill their holes', async () => {
    const ring = {
      shape: [1, 5, 5],
      data: Float32Array.from({ length: 25 }, (_, i) => Number(ringAt(i))),
    };
    const settings = { incremental_expandrate: 0, tapered_corners: true, flip_input: false };
    const rest = { ...settings, blur_radius: 0, lerp_alpha: 1, decay_factor: 1 };
    const [full, inverted] = (await call('GrowMaskWithBlur', {
      ...{ mask: ring, expand: 0, fill_holes: true },
      ...rest,
    })) as NDArray[];
    expect([full.data[12], full.data[0], inverted.data[12]]).toEqual([1, 0, 0]);
    const [larger] = (await call('GrowMaskWithBlur', {
      mask: ring,
      expand: 1,
      ...rest,
    })) as NDArray[];
    expect([larger.data[1], larger.data[0]]).toEqual([1, 0]);
  });
});

/** The border of the inner 3 x 3 of 5 x 5. */
const ringAt = (i: number): boolean => {
  const [x, y] = [i % 5, Math.floor(i / 5)];
  return Math.max(Math.abs(x - 2), Math.abs(y - 2)) === 1;
};

describe('numbers and text', () => {
  const math = async (value: string, given: object = {}) =>
    call('SimpleMath+', { value, ...given });

  it('SimpleMath+', async () => {
    expect(await math('a*b', { a: 3, b: 2.5 })).toEqual([8, 7.5]);
    expect(await math('a[1] // 2 + len(a)', { a })).toEqual([6, 6]);
    expect(await math('max(a, b) > 2 and a < b', { a: 1, b: 3 })).toEqual([1, 1]);
    expect(await math('a + 1')).toEqual([1, 1]);
    await expect(math('1 / a')).rejects.toThrow('division');
  });

  it('MathExpression|pysssss', async () => {
    const prompt = { 4: { class_type: 'X', inputs: { steps: 20 } } };
    const workflow = { nodes: [{ id: 4, type: 'X', title: 'Sampler' }] };
    const evaluate = async (expression: string, given: object = {}) =>
      call('MathExpression|pysssss', {
        ...{ expression, prompt, extra_pnginfo: { workflow } },
        ...given,
      });
    expect(await evaluate('iif(a.width > a.height, a.width, 0)', { a })).toEqual([7, 7]);
    expect(await evaluate('Sampler.steps / 8')).toEqual([2, 2.5]);
    expect(
      await evaluate('a.width', { a: { samples: { data: [], shape: [1, 4, 2, 3] } } }),
    ).toEqual([24, 24]);
    await expect(evaluate('Other.steps')).rejects.toThrow('Node not found: Other.steps');
  });

  it('ComfyMath, comparisons', async () => {
    expect(await call('CM_IntBinaryOperation', { op: 'Div', a: -7, b: 2 })).toEqual([-4]);
    expect(await call('CM_FloatBinaryOperation', { op: 'Pow', a: 2, b: 0.5 })).toEqual([
      Math.SQRT2,
    ]);
    expect(await call('CM_FloatToInt', { a: -2.7 })).toEqual([-2]);
    expect(await call('CM_NearestSDXLResolution', { image: a })).toEqual([1216, 832]);
    expect(await call('ImpactCompare', { cmp: 'a <> b', a: 1, b: 2 })).toEqual([true]);
    expect(await call('easy compare', { a: 1, comparison: 'a > 0' })).toEqual([true]);
    await expect(call('ImpactCompare', { cmp: 'a > b', a: 1, b: 'x' })).rejects.toThrow('no order');
  });

  it('text', async () => {
    const parts = {
      delimiter: '\\n',
      clean_whitespace: 'true',
      text_b: ' b ',
      text_a: 'a',
      text_c: ' ',
    };
    expect(await call('Text Concatenate', parts)).toEqual(['a\nb']);
    const tags = { tidy_tags: 'yes', text_a: 'a  b , c', text_b: 'd', text_c: '' };
    expect(await call('StringFunction|pysssss', { action: 'append', ...tags })).toEqual([
      'a b, c, d',
    ]);
    const pattern = { tidy_tags: 'no', text_a: 'cat 12', text_b: '/(\\d)(\\d)/', text_c: '\\2\\1' };
    expect(await call('StringFunction|pysssss', { action: 'replace', ...pattern })).toEqual([
      'cat 21',
    ]);
    const many = { string_1: 'a', string_2: '', string_3: 'c', delimiter: '-' };
    expect(await call('JoinStringMulti', { inputcount: 3, return_list: false, ...many })).toEqual([
      'a-c',
    ]);
    const strings = { strings: '#one\n1\n#two\n2', multiline: true, select: 3 };
    expect(await call('ImpactStringSelector', strings)).toEqual(['two\n2']);
  });

  it('stacks of LoRAs in the order of their packs', async () => {
    const incoming = [
      ['in', 0.5, 0.25],
      ['None', 1, 1],
    ];
    const rows = {
      ...{ lora_name_1: 'a', lora_wt_1: 0.75, model_str_1: 2, clip_str_1: 3 },
      ...{ lora_name_2: 'None', lora_wt_2: 1, model_str_2: 1, clip_str_2: 1 },
      ...{ lora_name_3: 'c', lora_wt_3: 1, model_str_3: 1, clip_str_3: 1 },
      lora_count: 2,
    };
    const stack = { ...rows, lora_stack: incoming };
    expect(await call('LoRA Stacker', { ...stack, input_mode: 'simple' })).toEqual([
      [
        ['a', 0.75, 0.75],
        ['in', 0.5, 0.25],
      ],
    ]);
    expect(await call('LoRA Stacker', { ...rows, input_mode: 'advanced' })).toEqual([
      [['a', 2, 3]],
    ]);
    const on = { switch_1: 'On', lora_name_1: 'a', model_weight_1: 2, clip_weight_1: -1 };
    const off = { switch_2: 'Off', lora_name_2: 'b', model_weight_2: 1, clip_weight_2: 1 };
    const none = { switch_3: 'On', lora_name_3: 'None', model_weight_3: 1, clip_weight_3: 1 };
    const [list] = await call('CR LoRA Stack', { ...on, ...off, ...none, lora_stack: incoming });
    expect(list).toEqual([
      ['in', 0.5, 0.25],
      ['a', 2, -1],
    ]);
  });

  it('values that other programs set', async () => {
    const lora = { input_id: 'input_lora', default_lora_name: 'a.safetensors' };
    expect(await call('ComfyUIDeployExternalLora', lora)).toEqual(['a.safetensors']);
    expect(await call('SwarmInputText', { title: 'Prompt', value: 'a cat' })).toEqual(['a cat']);
    expect(await call('SwarmInputGroup', { title: 'Inputs' })).toEqual([null]);
    expect(() =>
      byName
        .get('ComfyUIDeployExternalLora')!
        .run({ ...lora, lora_url: 'https://x/y' }, {} as never),
    ).toThrow('put the file into the loras folder');
  });
});

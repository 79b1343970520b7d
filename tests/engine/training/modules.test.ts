import { describe, expect, test } from 'vitest';
import { trainedEncoderModules, trainedModules } from '../../../engine/training/modules/choose.ts';
import { clip } from '../../support/tiny-encoders.ts';
import { moduleTrees, treeSource } from '../../support/module-trees.ts';
import { sourceOfShapes } from '../../support/manifest.ts';

const sourceOf = (name: string) => treeSource(moduleTrees[name]);
const paths = (family: string, choice: Parameters<typeof trainedModules>[2]): string[] =>
  trainedModules(sourceOf(family), { name: family }, choice).map(({ path }) => path);

describe("the node's rule", () => {
  test.each(Object.keys(moduleTrees))('takes all of %s in the order of its tree', (family) => {
    const modules = trainedModules(sourceOf(family), { name: family }, 'everything');
    expect(modules.map(({ key, as, bias }) => [key, as, bias])).toEqual(
      moduleTrees[family].map(([name, shape, bias]) => [
        `${name}.weight`,
        shape.length > 1 ? 'adapter' : 'offset',
        bias && `${name}.bias`,
      ]),
    );
  });

  test('leaves weights that are no modules to ComfyUI', () => {
    const shapes = { 'layers.0.w.weight': [2, 2], 'layers.0.ff_i.gate.weight': [4, 2] };
    const source = sourceOfShapes('hidream', [
      ...Object.entries(shapes),
      ['double_blocks.0.img_attn.norm.key_norm.scale', [2]],
    ]);
    const modules = trainedModules(source, { name: 'hidream' }, 'everything');
    expect(modules.map(({ key }) => key)).toEqual(['layers.0.w.weight']);
  });
});

describe("a job file's choice", () => {
  test('takes linear layers and 1x1 convolutions of a UNet under diffusers names', () => {
    const linear = paths('sd1', {});
    expect(linear.slice(0, 4)).toEqual([
      'time_embedding.linear_1',
      'time_embedding.linear_2',
      'down_blocks.0.resnets.0.time_emb_proj',
      'down_blocks.0.attentions.0.proj_in',
    ]);
    expect(linear).toContain('up_blocks.0.resnets.0.conv_shortcut');
    expect(linear).not.toContain('conv_in');
    const all = paths('sd1', { conv: true });
    expect(all).toEqual(expect.arrayContaining(['conv_in', 'conv_out', ...linear]));
    expect(all).toContain('down_blocks.0.downsamplers.0.conv');
    expect(all.some((path) => path.includes('norm'))).toBe(false);
  });

  test('calls the labels of SDXL as it does', () => {
    expect(paths('sdxl', {}).slice(2, 4)).toEqual([
      'add_embedding.linear_1',
      'add_embedding.linear_2',
    ]);
  });

  test('looks for words in names with dots and with underscores', () => {
    const some = paths('sd1', { onlyIfContains: ['lora_unet.mid_block', 'up_blocks_0'] });
    expect(some.length).toBeGreaterThan(0);
    expect(some.every((path) => /^(mid_block|up_blocks\.0)\./.test(path))).toBe(true);
    const rest = paths('sd1', { ignoreIfContains: ['mid_block', 'up_blocks_0'] });
    expect(new Set([...some, ...rest])).toEqual(new Set(paths('sd1', {})));
  });

  test('takes what is inside the blocks of a transformer, unless told otherwise', () => {
    const inside = paths('flux', {});
    expect(
      inside.every((path) => /^(transformer|single_transformer|double|single)_/.test(path)),
    ).toBe(true);
    const all = paths('flux', { transformerOnly: false });
    expect(all.slice(0, 3)).toEqual([
      'x_embedder',
      'time_text_embed.timestep_embedder.linear_1',
      'time_text_embed.timestep_embedder.linear_2',
    ]);
  });

  test("keeps our name for Stable Diffusion 3's matrix whose halves diffusers swaps", () => {
    const last = paths('sd3', {}).filter(
      (path) => path.includes('adaLN') || /norm1_context/.test(path),
    );
    expect(last).toEqual([
      'transformer_blocks.0.norm1_context.linear',
      'joint_blocks.1.context_block.adaLN_modulation.1',
    ]);
  });

  test('keeps a matrix of several modules whole, or takes those that it is told to', () => {
    const [whole] = trainedModules(
      sourceOf('flux'),
      { name: 'flux' },
      { onlyIfContains: ['.0.attn.to_', '.0.attn.add'] },
    );
    expect(whole.path).toBe('double_blocks.0.img_attn.qkv');
    expect(whole.parts?.map(({ path }) => path)).toEqual([
      'transformer_blocks.0.attn.to_q',
      'transformer_blocks.0.attn.to_k',
      'transformer_blocks.0.attn.to_v',
    ]);
    const some = trainedModules(
      sourceOf('flux'),
      { name: 'flux' },
      { onlyIfContains: ['proj_mlp'] },
    );
    const [, [rows, width]] = moduleTrees.flux.find(
      ([name]) => name === 'single_blocks.0.linear1',
    )!;
    expect(some[0]).toMatchObject({
      key: 'single_blocks.0.linear1.weight',
      path: 'single_transformer_blocks.0.proj_mlp',
      rows: [3 * width, rows],
      shape: [rows - 3 * width, width],
    });
    const apart = paths('flux', { apart: true });
    expect(apart).toContain('transformer_blocks.0.attn.add_v_proj');
    expect(apart).not.toContain('double_blocks.0.img_attn.qkv');
  });

  test('adds norms as differences, takes named layers whole, and leaves small ones', () => {
    const norms = trainedModules(sourceOf('lumina2'), { name: 'lumina2' }, { allLayers: true });
    const offsets = norms.filter(({ as }) => as === 'offset');
    expect(offsets.map(({ key }) => key)).toContain('layers.0.attention_norm1.weight');
    const full = trainedModules(sourceOf('sd1'), { name: 'sd1' }, { fullIfContains: ['conv_out'] });
    expect(full.at(-1)).toMatchObject({ key: 'out.2.weight', as: 'offset', bias: 'out.2.bias' });
    const large = trainedModules(sourceOf('sd1'), { name: 'sd1' }, { parameterThreshold: 5000 });
    expect(large.every(({ shape: [a, b] }) => a * b + a >= 5000)).toBe(true);
    expect(large.length).toBeLessThan(paths('sd1', {}).length);
  });

  test('takes attention and feed-forward layers of a text encoder', () => {
    const source = sourceOfShapes('clip', Object.entries(clip({ layers: 1 })));
    const encoder = { name: 'clip_l', alone: true };
    const modules = trainedEncoderModules(source, encoder, {});
    expect(modules.map(({ path }) => path.replace('text_model.encoder.layers.0.', ''))).toEqual([
      'self_attn.q_proj',
      'self_attn.k_proj',
      'self_attn.v_proj',
      'self_attn.out_proj',
      'mlp.fc1',
      'mlp.fc2',
    ]);
  });
});

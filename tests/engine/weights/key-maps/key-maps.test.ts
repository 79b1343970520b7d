import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { unetNames } from '../../../../engine/patch/lora/names.ts';
import { diffusersUNetKeys } from '../../../../engine/weights/key-maps/diffusers-unet.ts';
import { fromDiffusersVae } from '../../../../engine/weights/key-maps/diffusers-vae.ts';
import { fromTencentNames } from '../../../../engine/weights/key-maps/hunyuan-transformer.ts';
import { clipNames } from '../../../../engine/weights/key-maps/open-clip.ts';
import { goldenDir } from '../../../support/golden.ts';
import { sourceOfShapes } from '../../../support/manifest.ts';

describe('diffusers UNet names', () => {
  // oracle: complete key tables that ComfyUI 0.3.64 makes for three layouts
  for (const family of ['sd15', 'sd2', 'sdxl']) {
    const path = join(goldenDir('unet'), `diffusers_keys_${family}.json`);
    test.skipIf(!existsSync(path))(`${family}: every key`, () => {
      const { pairs } = JSON.parse(readFileSync(path, 'utf8')) as { pairs: [string, string][] };
      const keys = diffusersUNetKeys(pairs.map(([from]) => from));
      expect(pairs.map(([from]) => [from, keys.get(from)])).toEqual(pairs);
    });
  }

  test('a small UNet with an attention level and an upsampler', () => {
    const keys = diffusersUNetKeys([
      'conv_in.weight',
      'down_blocks.0.resnets.0.conv1.weight',
      'down_blocks.0.attentions.0.proj_in.weight',
      'down_blocks.0.downsamplers.0.conv.weight',
      'down_blocks.1.resnets.0.time_emb_proj.bias',
      'up_blocks.0.resnets.0.conv_shortcut.weight',
      'up_blocks.0.upsamplers.0.conv.weight',
    ]);
    expect([...keys.values()]).toEqual([
      'input_blocks.0.0.weight',
      'input_blocks.1.0.in_layers.2.weight',
      'input_blocks.1.1.proj_in.weight',
      'input_blocks.2.0.op.weight',
      'input_blocks.3.0.emb_layers.1.bias',
      'output_blocks.0.0.skip_connection.weight',
      'output_blocks.0.1.conv.weight',
    ]);
  });
});

test('diffusers VAE names: mirrored levels, linear attention as 1x1 convolution', () => {
  const source = fromDiffusersVae(
    sourceOfShapes('vae', [
      ['decoder.up_blocks.0.resnets.0.norm1.weight', [8]],
      ['decoder.up_blocks.1.resnets.2.conv_shortcut.weight', [8, 8, 1, 1]],
      ['decoder.up_blocks.0.upsamplers.0.conv.bias', [8]],
      ['encoder.mid_block.attentions.0.to_out.0.weight', [8, 8]],
      ['encoder.mid_block.resnets.1.conv1.weight', [8, 8, 3, 3]],
      ['encoder.conv_norm_out.bias', [8]],
    ]),
  );
  expect([...source.tensors].map(([key, { shape }]) => [key, shape])).toEqual([
    ['decoder.up.1.block.0.norm1.weight', [8]],
    ['decoder.up.0.block.2.nin_shortcut.weight', [8, 8, 1, 1]],
    ['decoder.up.1.upsample.conv.bias', [8]],
    ['encoder.mid.attn_1.proj_out.weight', [8, 8, 1, 1]],
    ['encoder.mid.block_2.conv1.weight', [8, 8, 3, 3]],
    ['encoder.norm_out.bias', [8]],
  ]);
});

test('CLIP names: OpenCLIP, old SD1 files, bare projections', () => {
  const openClip = clipNames(
    sourceOfShapes('h', [
      ['transformer.resblocks.0.ln_1.weight', [4]],
      ['transformer.resblocks.0.attn.in_proj_weight', [12, 4]],
      ['positional_embedding', [77, 4]],
      ['text_projection', [4, 6]],
    ]),
  );
  const layer = 'text_model.encoder.layers.0';
  expect([...openClip.tensors.keys()]).toEqual([
    `${layer}.layer_norm1.weight`,
    `${layer}.self_attn.q_proj.weight`,
    `${layer}.self_attn.k_proj.weight`,
    `${layer}.self_attn.v_proj.weight`,
    'text_model.embeddings.position_embedding.weight',
    'text_projection.weight',
  ]);
  expect(openClip.tensors.get(`${layer}.self_attn.v_proj.weight`)!.shape).toEqual([4, 4]);
  expect(openClip.tensors.get('text_projection.weight')!.transposed).toBe(true);

  const old = clipNames(sourceOfShapes('l', [['encoder.layers.0.layer_norm1.weight', [4]]]));
  expect([...old.tensors.keys()]).toEqual([`${layer}.layer_norm1.weight`]);
});

// oracle: what ComfyUI 0.3.64 makes of the keys of a HunyuanVideo file, and its names of LoRA files
test("Hunyuan's transformers in Tencent's names", () => {
  const pairs = [
    ['txt_in.individual_token_refiner.blocks.0.norm1.weight'],
    ['txt_in.t_embedder.mlp.0.weight', 'txt_in.t_embedder.in_layer.weight'],
    ['txt_in.c_embedder.linear_2.bias', 'txt_in.c_embedder.out_layer.bias'],
    [
      'txt_in.individual_token_refiner.blocks.1.self_attn_qkv.weight',
      'txt_in.individual_token_refiner.blocks.1.self_attn.qkv.weight',
    ],
    [
      'txt_in.individual_token_refiner.blocks.1.mlp.fc2.bias',
      'txt_in.individual_token_refiner.blocks.1.mlp.2.bias',
    ],
    ['time_in.mlp.0.weight', 'time_in.in_layer.weight'],
    ['guidance_in.mlp.2.weight', 'guidance_in.out_layer.weight'],
    ['double_blocks.3.img_mod.linear.weight', 'double_blocks.3.img_mod.lin.weight'],
    ['double_blocks.3.txt_attn_qkv.weight', 'double_blocks.3.txt_attn.qkv.weight'],
    ['double_blocks.3.txt_attn_q_norm.weight', 'double_blocks.3.txt_attn.norm.query_norm.scale'],
    ['double_blocks.3.img_mlp.fc1.weight', 'double_blocks.3.img_mlp.0.weight'],
    ['single_blocks.4.k_norm.weight', 'single_blocks.4.norm.key_norm.scale'],
    ['single_blocks.4.modulation.linear.bias', 'single_blocks.4.modulation.lin.bias'],
    ['byt5_in.fc1.weight'],
  ];
  const theirs = sourceOfShapes(
    'h',
    pairs.map(([key]) => [key, [4]] as const),
  );
  const ours = [...fromTencentNames(theirs).tensors.keys()];
  expect(ours).toEqual(pairs.map(([key, name = key]) => name));
  const names = unetNames(ours);
  for (const [key, name] of pairs) {
    if (name === undefined || !/_blocks.*(attn_qkv|linear|fc1)\.weight/.test(key)) continue;
    expect(names.get(`transformer.${key.replace('.weight', '')}`)).toBe(name);
  }
  const flux = sourceOfShapes('f', [['time_in.in_layer.weight', [4]]]);
  expect(fromTencentNames(flux)).toBe(flux);
});

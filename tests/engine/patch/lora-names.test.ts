import { describe, expect, test } from 'vitest';
import { clipNames, unetNames } from '../../../engine/patch/lora/names.ts';

/** Modules of released files and what trainers write in front of them. oracle: ComfyUI 0.3.64's key map */
const transformers: Record<string, { modules: string[]; dotted: string[]; underscored: string[] }> =
  {
    HiDream: {
      modules: [
        'double_stream_blocks.3.block.ff_i.experts.2.w1',
        'single_stream_blocks.11.block.attn1.to_out',
        'caption_projection.48.linear',
        't_embedder.timestep_embedder.linear_1',
        'p_embedder.pooled_embedder.linear_2',
        'x_embedder.proj',
        'final_layer.adaLN_modulation.1',
        'final_layer.linear',
      ],
      dotted: ['diffusion_model.', 'transformer.'],
      underscored: ['lora_unet_', 'lycoris_'],
    },
    HunyuanDiT: {
      modules: [
        'blocks.7.attn1.Wqkv',
        'blocks.39.skip_linear',
        'mlp_t5.0',
        'extra_embedder.2',
        'pooler.k_proj',
        't_embedder.mlp.0',
        'final_layer.linear',
      ],
      dotted: ['diffusion_model.', 'base_model.model.'],
      underscored: ['lora_unet_'],
    },
  };

describe('names of weights in LoRA files', () => {
  test.each(Object.entries(transformers))('%s', (_, { modules, dotted, underscored }) => {
    const names = unetNames(modules.map((module) => `${module}.weight`));
    for (const module of modules) {
      for (const prefix of dotted) expect(names.get(prefix + module)).toBe(`${module}.weight`);
      for (const prefix of underscored) {
        expect(names.get(prefix + module.replaceAll('.', '_'))).toBe(`${module}.weight`);
      }
    }
  });

  test("HunyuanDiT's BERT is the first encoder", () => {
    const key = 'bert.encoder.layer.3.attention.self.query.weight';
    const names = clipNames('hydit_clip', [key]);
    expect(names.get('lora_te1_encoder_layer_3_attention_self_query')).toBe(key);
  });

  test('T5 is the third encoder of SD3 and HiDream, the second of Flux', () => {
    const key = 'encoder.block.0.layer.0.SelfAttention.q.weight';
    const names = clipNames('t5xxl', [key]);
    for (const front of ['lora_te2_', 'lora_te3_']) {
      expect(names.get(`${front}encoder_block_0_layer_0_SelfAttention_q`)).toBe(key);
    }
  });
});

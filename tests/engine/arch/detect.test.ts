import { describe, expect, test } from 'vitest';
import { detectFamily, modelPrefix } from '../../../engine/arch/families/detect.ts';
import { families } from '../../../engine/arch/families/index.ts';
import type { Condition } from '../../../engine/arch/family.ts';
import type { UNetConfig } from '../../../engine/arch/unet.ts';
import { shapeText } from '../../../engine/tensor/shape.ts';
import { trace } from '../../../engine/tensor/trace.ts';
import { sub } from '../../../engine/weights/source.ts';
import { manifestSource, readManifest, sourceOfShapes } from '../../support/manifest.ts';

// oracle: key/shape lists of released models with the family ComfyUI 0.3.64 (of 2026: 0.33) detected
const supported: Record<string, string> = {
  sd15: 'sd1',
  sd15_inpaint: 'sd1',
  sd21: 'sd2',
  sdxl: 'sdxl',
};

/** Diffusion transformers. */
const transformers: Record<string, string> = {
  auraflow: 'auraflow',
  cascade_b: 'cascade-b',
  cascade_c: 'cascade-c',
  chroma: 'chroma',
  chroma_radiance: 'chroma-radiance',
  cosmos_predict2_2b_t2i: 'cosmos-predict2',
  flux_dev: 'flux',
  flux_schnell: 'flux',
  hidream: 'hidream',
  hunyuan_dit: 'hunyuan-dit',
  hunyuan_image21: 'hunyuan-image',
  lumina2: 'lumina2',
  omnigen2: 'omnigen2',
  ovis_image: 'ovis-image',
  pixart_alpha: 'pixart-alpha',
  pixart_sigma: 'pixart-sigma',
  qwen_image: 'qwen-image',
  sd35_medium: 'sd3',
  z_image: 'z-image',
  z_image_omni: 'z-image',
};

/** What released files carry that no program reads. */
const leftOver: Record<string, string[]> = {
  lumina2: ['norm_final.weight'],
  pixart_alpha: ['y_embedder.y_embedding'],
  pixart_sigma: ['y_embedder.y_embedding'],
};

const refused: Record<string, string> = {
  cosmos_predict2_2b_i2v: 'Cosmos Predict2 Video2World',
  hunyuan_video_t2v: 'HunyuanVideo',
  ltxv_2b: 'LTX-Video',
  mochi: 'Mochi',
  svd_img2vid: 'Stable Video Diffusion',
  'wan21_t2v_1.3b': 'Wan',
};

function detect(name: string, source = manifestSource(readManifest(name)!)) {
  const prefix = modelPrefix(source.tensors.keys());
  const stripped = sub(source, prefix);
  const model = stripped.tensors.size > 0 ? stripped : source;
  return detectFamily(families, { model, file: source, read: async () => undefined });
}

/** What a condition brings to a program. */
function inputsOf(condition: Condition): readonly string[] {
  if (condition.kind === 'references') return ['reference0', 'place0'];
  if (condition.kind === 'further-text') return [condition.input];
  if (condition.kind === 'reference-words') return ['words0', 'words1'];
  if (condition.kind === 'reference-views') return ['view0'];
  return [condition.kind.replace('-', '_')];
}

describe('families of released models', () => {
  for (const [name, family] of Object.entries(supported)) {
    test.skipIf(!readManifest(name))(`${name} is ${family}`, async () => {
      const { detected_config: expected } = readManifest(name)!;
      const found = await detect(name);
      const config = found.config as UNetConfig;
      expect(found.family.name).toBe(family);
      expect(config.inChannels).toBe(expected.in_channels);
      expect(config.modelChannels).toBe(expected.model_channels);
      expect(config.contextWidth).toBe(expected.context_dim);
      expect(config.linearProjection).toBe(expected.use_linear_in_transformer);
      expect(config.admWidth ?? null).toBe(expected.adm_in_channels);
    });
  }

  for (const [name, family] of Object.entries(transformers)) {
    test.skipIf(!readManifest(name))(`${name} is ${family}, and every key is used`, async () => {
      const { family: found, config } = await detect(name);
      expect(found.name).toBe(family);
      const file = manifestSource(readManifest(name)!);
      const inside = sub(file, modelPrefix(file.tensors.keys()));
      const model = inside.tensors.size > 0 ? inside : file;
      const given = new Set(found.conditions?.(config).flatMap((condition) => inputsOf(condition)));
      const program = trace(name, model, (g) => found.network(g, config, given));
      expect(program.usage.unused).toEqual(leftOver[name] ?? []);
      const x = program.inputs.find(({ attrs }) => attrs.name === 'x')!;
      expect(program.outputs.out.shape.length).toBe(x.shape.length);
    });
  }

  test.skipIf(!readManifest('hunyuan_dit'))('HunyuanDiT 1.1 is told of sizes', async () => {
    const { tensors } = manifestSource(readManifest('hunyuan_dit')!);
    const shapes = new Map([...tensors].map(([key, { shape }]) => [key, shape]));
    const at = [...shapes.keys()].find((key) => key.endsWith('extra_embedder.0.weight'))!;
    const [wide] = shapes.get(at)!;
    shapes.set(at, [wide, 3968]).set(at.replace('extra_embedder.0', 'style_embedder'), [1, 1408]);
    const source = sourceOfShapes('hunyuan_dit_1.1', shapes);
    const { family, config, sampling } = await detect('hunyuan_dit_1.1', source);
    const model = sub(source, modelPrefix(shapes.keys()));
    const program = trace('1.1', model, (g) => family.network(g, config, new Set()));
    expect(program.usage.unused).toEqual([]);
    expect(sampling.schedule.linearEnd).toBe(0.03);
    expect(program.inputs.map(({ attrs }) => attrs.name)).toContain('sizes');
  });
  // oracle: ComfyUI 0.3.64's detection; the keys are those of its class for such files
  test.skipIf(!readManifest('hunyuan_image21'))(
    'HunyuanImage distilled, and its refiner',
    async () => {
      const base = manifestSource(readManifest('hunyuan_image21')!);
      const shapes = new Map([...base.tensors].map(([key, { shape }]) => [key, shape]));
      for (const name of ['time_r_in', 'guidance_in']) {
        for (const part of ['in_layer', 'out_layer']) {
          for (const kind of ['weight', 'bias']) {
            shapes.set(`${name}.${part}.${kind}`, shapes.get(`time_in.${part}.${kind}`)!);
          }
        }
      }
      const distilled = await detect('x', sourceOfShapes('x', shapes));
      expect(distilled.family.name).toBe('hunyuan-image');
      expect(distilled.config).toMatchObject({ guided: true, aimed: true, glyphWidth: 1472 });
      shapes.set('img_in.proj.weight', [3584, 128, 1, 1, 1]);
      const refiner = await detect('x', sourceOfShapes('x', shapes));
      expect(refiner.family.name).toBe('hunyuan-image-refiner');
      expect(refiner.config).toMatchObject({
        inChannels: 128,
        outChannels: 64,
        axes: [16, 56, 56],
      });
      expect(refiner.extraChannels).toBe('instruct-noised');
    },
  );

  // oracle: ComfyUI 0.33's detection of a Flux without pooled text whose text is that of Qwen2.5-VL
  test.skipIf(!readManifest('flux_schnell'))('LongCat-Image', async () => {
    const flux = manifestSource(readManifest('flux_schnell')!);
    const inside = sub(flux, modelPrefix(flux.tensors.keys()));
    const { tensors } = inside.tensors.size > 0 ? inside : flux;
    const shapes = new Map([...tensors].map(([key, { shape }]) => [key, shape]));
    for (const key of tensors.keys()) if (key.startsWith('vector_in.')) shapes.delete(key);
    shapes.set('txt_in.weight', [3072, 3584]);
    const { family, config, sampling } = await detect('x', sourceOfShapes('x', shapes));
    expect(family.name).toBe('longcat-image');
    expect(config).toMatchObject({ contextWidth: 3584, wordAxes: [1, 2], wordsBefore: true });
    expect(sampling.schedule).toEqual({ type: 'flux', shift: 1.15 });
  });

  // oracle: ComfyUI 0.33, which tells Mage-Flow from Qwen-Image by these sizes
  test.skipIf(!readManifest('qwen_image'))('Mage-Flow', async () => {
    const file = manifestSource(readManifest('qwen_image')!);
    const shapes = new Map([...file.tensors].map(([key, { shape }]) => [key, shape]));
    shapes.set('txt_norm.weight', [2560]);
    shapes.set('txt_in.weight', [3072, 2560]);
    shapes.set('img_in.weight', [3072, 128]);
    shapes.set('proj_out.weight', [128, 3072]);
    const { family, config } = await detect('x', sourceOfShapes('x', shapes));
    expect(family.name).toBe('mage-flow');
    expect(config).toMatchObject({ inChannels: 128, contextWidth: 2560, axes: [16, 56, 56] });
  });

  // oracle: keys by which ComfyUI 0.33 knows families that are not here
  test.each([
    ['Lens', ['txt_norm.weight', 'transformer_blocks.0.img_mlp.w1.weight']],
    [
      'Boogu-Image',
      [
        'time_caption_embed.timestep_embedder.linear_1.bias',
        'double_stream_layers.0.img_instruct_attn.processor.img_to_q.weight',
      ],
    ],
    ['NewBie', ['cap_embedder.1.weight', 'clip_text_pooled_proj.0.weight']],
    ['Z-Image in pixel space', ['cap_pad_token', 'dec_net.cond_embed.weight']],
    ['Kandinsky 5', ['visual_transformer_blocks.0.cross_attention.key_norm.weight']],
    ['ERNIE-Image', ['layers.0.mlp.linear_fc2.weight']],
    ['JoyImage', ['img_in.weight', 'double_blocks.0.attn.img_attn_q_norm.weight']],
    ['Krea 2', ['txtfusion.projector.weight']],
  ])('%s is refused by name', async (title, keys) => {
    const shapes = keys.map((key) => [key, [4, 4]] as const);
    const found = detect('x', sourceOfShapes('x', shapes));
    await expect(found).rejects.toThrow(`it seems to be ${title}; supported are`);
  });

  for (const [name, title] of Object.entries(refused)) {
    test.skipIf(!readManifest(name))(`${name} is refused as ${title}`, async () => {
      await expect(detect(name)).rejects.toThrow(`it seems to be ${title}; supported are`);
    });
  }

  // oracle: the key by which ComfyUI 0.33 tells them apart
  test.skipIf(!readManifest('cosmos_predict2_2b_t2i'))('Anima is no Cosmos Predict2', async () => {
    const { tensors } = manifestSource(readManifest('cosmos_predict2_2b_t2i')!);
    const shapes = new Map([...tensors].map(([key, { shape }]) => [key, shape]));
    shapes.set('net.llm_adapter.blocks.0.cross_attn.q_proj.weight', [1024, 1024]);
    await expect(detect('anima', sourceOfShapes('anima', shapes))).rejects.toThrow(
      'it seems to be Anima; supported are',
    );
  });

  test('a LoRA, an autoencoder and an unknown file are named as what they are', async () => {
    const of = (key: string) => detect('x', sourceOfShapes('x.safetensors', [[key, [4]]]));
    await expect(of('lora_unet_down_blocks_0.lora_up.weight')).rejects.toThrow(
      'seems to be a LoRA',
    );
    await expect(of('decoder.conv_in.weight')).rejects.toThrow('seems to be a picture autoencoder');
    await expect(of('something')).rejects.toThrow('none of its 1 keys is known');
  });
});

describe('tracing a full-size UNet from its manifest', () => {
  for (const name of ['sd15', 'sd21', 'sdxl']) {
    test.skipIf(!readManifest(name))(
      `${name}: every key is used, the output has x's shape`,
      async () => {
        const file = manifestSource(readManifest(name)!);
        const model = sub(file, 'model.diffusion_model.');
        const { family, config } = await detectFamily(families, {
          model,
          file,
          read: async () => undefined,
        });
        const program = trace(name, model, (g) => family.network(g, config, new Set()));
        expect(program.usage.unused).toEqual([]);
        expect(shapeText(program.outputs.out.shape)).toBe('[batch, 4, height, width]');
      },
    );
  }
});

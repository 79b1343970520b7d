/** Workflows of transformers that the collection has none of, from end to end on tiny models. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NDArray } from '../../engine/array/nd.ts';
import type { Prompt } from '../../engine/graph/definition.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { builtinNodes } from '../../nodes/index.ts';
import { removeUnpacked } from '../golden/open-case.ts';
import { createInstallation, runWorkflow } from '../support/run-workflow.ts';
import { placeVocabularies } from '../support/tiny-encoders.ts';
import { filesOf, placeFiles } from './stand-ins.ts';
import { tinyTransformers } from './tiny-transformers.ts';

type Inputs = Record<string, unknown>;
const node = (class_type: string, inputs: Inputs) => ({ class_type, inputs });

interface Files {
  readonly unet: string;
  readonly clip: string;
  readonly type: string;
  readonly vae: string;
}

/** Loaders as `1` to `3`, a sampler as `6` on the latent of node `5`, and the picture as `8`. */
const plain = ({ unet, clip, type, vae }: Files, more: Record<string, object>) => ({
  1: node('UNETLoader', { unet_name: unet, weight_dtype: 'default' }),
  2: node('CLIPLoader', { clip_name: clip, type, device: 'default' }),
  3: node('VAELoader', { vae_name: vae }),
  4: node('CLIPTextEncode', { clip: ['2', 0], text: 'a bird' }),
  6: node('KSampler', {
    model: ['1', 0],
    positive: ['4', 0],
    negative: ['4', 0],
    latent_image: ['5', 0],
    seed: 1,
    steps: 3,
    cfg: 3,
    sampler_name: 'euler',
    scheduler: 'simple',
    denoise: 1,
  }),
  7: node('VAEDecode', { samples: ['6', 0], vae: ['3', 0] }),
  8: node('PreviewImage', { images: ['7', 0] }),
  ...more,
});

const pixArt = (name: string) => ({
  unet: `pixart_${name}.safetensors`,
  clip: 't5xxl_fp16.safetensors',
  type: 'pixart',
  vae: 'sd-vae.safetensors',
});
const cosmos = {
  unet: 'cosmos_predict2_2B_t2i.safetensors',
  clip: 'oldt5_xxl_fp16.safetensors',
  type: 'cosmos',
  vae: 'wan_2.1_vae.safetensors',
};
const qwenImage = {
  unet: 'qwen_image_fp8_e4m3fn.safetensors',
  clip: 'qwen_2.5_vl_7b_fp8_scaled.safetensors',
  type: 'qwen_image',
  vae: 'qwen_image_vae.safetensors',
};
const small = { width: 64, height: 48, batch_size: 2 };

const workflows: Record<string, object> = {
  'Qwen-Image, steered by a picture and by blocks that are left out': plain(qwenImage, {
    5: node('EmptySD3LatentImage', small),
    9: node('EmptyImage', { width: 80, height: 48, batch_size: 1, color: 0xff8800 }),
    10: node('ControlNetLoader', {
      control_net_name: 'Qwen-Image-InstantX-ControlNet-Union.safetensors',
    }),
    11: node('CLIPTextEncode', { clip: ['2', 0], text: 'a bird' }),
    4: node('ControlNetApplyAdvanced', {
      positive: ['11', 0],
      negative: ['11', 0],
      control_net: ['10', 0],
      image: ['9', 0],
      strength: 1,
      start_percent: 0,
      end_percent: 0.5,
      vae: ['3', 0],
    }),
    12: node('ModelPatchLoader', { name: 'qwen_image_canny_diffsynth_controlnet.safetensors' }),
    13: node('UNETLoader', { unet_name: qwenImage.unet, weight_dtype: 'default' }),
    14: node('QwenImageDiffsynthControlnet', {
      model: ['13', 0],
      model_patch: ['12', 0],
      vae: ['3', 0],
      image: ['9', 0],
      strength: 1,
    }),
    1: node('SkipLayerGuidanceDiT', {
      model: ['14', 0],
      double_layers: '0',
      single_layers: '',
      scale: 3,
      start_percent: 0,
      end_percent: 1,
      rescaling_scale: 0.5,
    }),
  }),
  'PixArt alpha, told the size': plain(pixArt('alpha'), {
    4: node('CLIPTextEncodePixArtAlpha', {
      clip: ['2', 0],
      text: 'a bird',
      width: 1024,
      height: 768,
    }),
    5: node('EmptyLatentImage', small),
  }),
  'PixArt sigma': plain(pixArt('sigma'), { 5: node('EmptyLatentImage', small) }),
  'Cosmos Predict2': plain(cosmos, { 5: node('EmptySD3LatentImage', small) }),
  'Cosmos Predict2, half of a picture made anew': plain(cosmos, {
    9: node('EmptyImage', { width: 64, height: 48, batch_size: 1, color: 0xff8800 }),
    10: node('VAEEncode', { pixels: ['9', 0], vae: ['3', 0] }),
    11: node('SolidMask', { value: 1, width: 32, height: 48 }),
    12: node('SolidMask', { value: 0, width: 64, height: 48 }),
    13: node('MaskComposite', {
      destination: ['12', 0],
      source: ['11', 0],
      x: 0,
      y: 0,
      operation: 'add',
    }),
    5: node('SetLatentNoiseMask', { samples: ['10', 0], mask: ['13', 0] }),
  }),
  'Chroma Radiance, on pixels': plain(
    {
      unet: 'chroma_radiance.safetensors',
      clip: 't5xxl_fp16.safetensors',
      type: 'chroma',
      vae: 'pixel_space',
    },
    {
      5: node('EmptyChromaRadianceLatentImage', small),
      9: node('UNETLoader', {
        unet_name: 'chroma_radiance.safetensors',
        weight_dtype: 'default',
      }),
      1: node('ChromaRadianceOptions', {
        model: ['9', 0],
        preserve_wrapper: true,
        start_sigma: 1,
        end_sigma: 0,
        nerf_tile_size: 0,
      }),
    },
  ),
};

describe('workflows of transformers that are not in the collection', () => {
  const installation = createInstallation();
  const runtime = createRuntime({ threads: 2 });
  beforeAll(() => placeVocabularies(join(installation.base, 'models/text_encoders')));
  afterAll(async () => {
    await runtime.unloadAll();
    await removeUnpacked();
    await installation.remove();
  });

  test.each(Object.entries(workflows))(
    '%s',
    async (_, prompt) => {
      const { base } = installation;
      const files = filesOf(prompt as Prompt, builtinNodes());
      await placeFiles(
        base,
        files.filter(({ name }) => name !== 'pixel_space'),
        tinyTransformers,
      );
      const { values } = await runWorkflow(JSON.stringify(prompt), { base, runtime });
      const { data, shape } = values.get('7')![0] as NDArray;
      expect(shape.slice(1)).toEqual([48, 64, 3]);
      const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
      const spread = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
      expect(mean).toBeGreaterThan(0.02); // not black, and no NaN
      expect(Math.sqrt(spread)).toBeGreaterThan(0.005); // not constant
    },
    60_000,
  );
});

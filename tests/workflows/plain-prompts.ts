/** Text to picture, plainly, for families that the collection has no workflow of. */
import type { Prompt } from '../../engine/graph/definition.ts';

type Node = Prompt[string];

const node = (class_type: string, inputs: object): Node => ({ class_type, inputs }) as Node;

const unet = (unet_name: string): Node =>
  node('UNETLoader', { unet_name, weight_dtype: 'default' });
const clip = (clip_name: string, type: string): Node => node('CLIPLoader', { clip_name, type });
const vae = (vae_name: string): Node => node('VAELoader', { vae_name });
const empty = (class_type: string, width: number, height: number): Node =>
  node(class_type, { width, height, batch_size: 1 });

/** Where a prompt's parts come from: a loader each, or one checkpoint. */
const each = { model: ['model', 0], clip: ['clip', 0], vae: ['vae', 0] };
const one = { model: ['model', 0], clip: ['model', 1], vae: ['model', 2] };

const said = (text: string, { clip } = each): Node => node('CLIPTextEncode', { clip, text });

interface Parts {
  readonly model: Node;
  /** Left out where `model` is a checkpoint. */
  readonly others?: { readonly clip: Node; readonly vae: Node };
  readonly latent: Node;
  readonly positive?: Node;
}

function plain({ model, others, latent, positive }: Parts): Prompt {
  const from = others ? each : one;
  return {
    model,
    ...others,
    latent,
    positive: positive ?? said('a (red:1.2) fox in the snow', from),
    negative: said('blurry', from),
    steps: node('KSampler', {
      model: from.model,
      positive: ['positive', 0],
      negative: ['negative', 0],
      latent_image: ['latent', 0],
      ...{ seed: 1, steps: 20, cfg: 4, sampler_name: 'euler', scheduler: 'simple', denoise: 1 },
    }),
    picture: node('VAEDecode', { samples: ['steps', 0], vae: from.vae }),
    end: node('SaveImage', { images: ['picture', 0], filename_prefix: 'ComfyUI' }),
  };
}

/** By name. PixArt's pictures are large, for what is run is an eighth of them, and it counts in 512 pixels. */
export const plainPrompts: Readonly<Record<string, Prompt>> = {
  AuraFlow: plain({
    model: node('CheckpointLoaderSimple', { ckpt_name: 'aura_flow_0.3.safetensors' }),
    latent: empty('EmptyLatentImage', 1024, 1024),
  }),
  'PixArt sigma': plain({
    model: unet('PixArt-Sigma-XL-2-1024-MS.safetensors'),
    others: { clip: clip('t5xxl_fp16.safetensors', 'pixart'), vae: vae('sdxl_vae.safetensors') },
    latent: empty('EmptyLatentImage', 4096, 4096),
  }),
  'PixArt alpha': plain({
    model: unet('PixArt-XL-2-1024-MS.safetensors'),
    others: { clip: clip('t5xxl_fp16.safetensors', 'pixart'), vae: vae('sdxl_vae.safetensors') },
    latent: empty('EmptyLatentImage', 4096, 4096),
    positive: node('CLIPTextEncodePixArtAlpha', {
      clip: ['clip', 0],
      text: 'a fox',
      ...{ width: 4096, height: 4096 },
    }),
  }),
  'Cosmos Predict2': plain({
    model: unet('cosmos_predict2_2B_t2i.safetensors'),
    others: {
      clip: clip('oldt5_xxl_fp8_e4m3fn_scaled.safetensors', 'cosmos'),
      vae: vae('wan_2.1_vae.safetensors'),
    },
    latent: empty('EmptySD3LatentImage', 1024, 1024),
  }),
  HunyuanImage: plain({
    model: unet('hunyuanimage2.1_fp8_e4m3fn.safetensors'),
    others: {
      clip: node('DualCLIPLoader', {
        clip_name1: 'qwen_2.5_vl_7b_fp8_scaled.safetensors',
        clip_name2: 'byt5_small_glyphxl_fp16.safetensors',
        type: 'hunyuan_image',
      }),
      vae: vae('hunyuan_image_2.1_vae_fp16.safetensors'),
    },
    latent: empty('EmptyHunyuanImageLatent', 2048, 2048),
    positive: said('a shop with a sign that says "open"'),
  }),
  'FLUX.2 dev': plain({
    model: unet('flux2_dev_fp8mixed.safetensors'),
    others: {
      clip: clip('mistral_3_small_flux2_fp8.safetensors', 'flux2'),
      vae: vae('flux2-vae.safetensors'),
    },
    latent: empty('EmptyFlux2LatentImage', 1024, 1024),
  }),
};

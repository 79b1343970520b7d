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

const pixArt = (name: string): Pick<Parts, 'model' | 'others' | 'latent'> => ({
  model: unet(`pixart_${name}.safetensors`),
  others: { clip: clip('t5xxl_fp16.safetensors', 'pixart'), vae: vae('sdxl_vae.safetensors') },
  latent: empty('EmptyLatentImage', 512, 384),
});

const cosmos: Parts = {
  model: unet('cosmos_predict2_2B_t2i.safetensors'),
  others: {
    clip: clip('oldt5_xxl_fp8_e4m3fn_scaled.safetensors', 'cosmos'),
    vae: vae('wan_2.1_vae.safetensors'),
  },
  latent: empty('EmptySD3LatentImage', 512, 384),
};

/** By name. */
export const plainPrompts: Readonly<Record<string, Prompt>> = {
  AuraFlow: plain({
    model: node('CheckpointLoaderSimple', { ckpt_name: 'aura_flow_0.3.safetensors' }),
    latent: empty('EmptyLatentImage', 1024, 1024),
  }),
  'PixArt sigma': plain(pixArt('sigma')),
  'PixArt alpha, told the size': plain({
    ...pixArt('alpha'),
    positive: node('CLIPTextEncodePixArtAlpha', {
      clip: ['clip', 0],
      text: 'a fox',
      ...{ width: 1024, height: 768 },
    }),
  }),
  'Cosmos Predict2': plain(cosmos),
  'Cosmos Predict2, half of a picture made anew': {
    ...plain(cosmos),
    image: node('EmptyImage', { width: 512, height: 384, batch_size: 1, color: 0xff8800 }),
    encoded: node('VAEEncode', { pixels: ['image', 0], vae: ['vae', 0] }),
    half: node('SolidMask', { value: 1, width: 256, height: 384 }),
    whole: node('SolidMask', { value: 0, width: 512, height: 384 }),
    mask: node('MaskComposite', {
      destination: ['whole', 0],
      source: ['half', 0],
      ...{ x: 0, y: 0, operation: 'add' },
    }),
    latent: node('SetLatentNoiseMask', { samples: ['encoded', 0], mask: ['mask', 0] }),
  },
  'Chroma Radiance, on pixels': {
    ...plain({
      model: node('ChromaRadianceOptions', {
        model: ['network', 0],
        ...{ preserve_wrapper: true, start_sigma: 1, end_sigma: 0, nerf_tile_size: 0 },
      }),
      others: { clip: clip('t5xxl_fp16.safetensors', 'chroma'), vae: vae('pixel_space') },
      latent: empty('EmptyChromaRadianceLatentImage', 512, 384),
    }),
    network: unet('chroma_radiance.safetensors'),
  },
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
  'Qwen-Image, steered by a picture and by blocks that are left out': {
    ...plain({
      model: node('SkipLayerGuidanceDiT', {
        model: ['steered', 0],
        ...{ double_layers: '0', single_layers: '', scale: 3, rescaling_scale: 0.5 },
        ...{ start_percent: 0, end_percent: 1 },
      }),
      others: {
        clip: clip('qwen_2.5_vl_7b_fp8_scaled.safetensors', 'qwen_image'),
        vae: vae('qwen_image_vae.safetensors'),
      },
      latent: empty('EmptySD3LatentImage', 512, 384),
      positive: node('ControlNetApplyAdvanced', {
        positive: ['text', 0],
        negative: ['text', 0],
        control_net: ['control', 0],
        image: ['hint', 0],
        vae: ['vae', 0],
        ...{ strength: 1, start_percent: 0, end_percent: 0.5 },
      }),
    }),
    network: unet('qwen_image_fp8_e4m3fn.safetensors'),
    text: said('a fox', each),
    hint: node('EmptyImage', { width: 640, height: 384, batch_size: 1, color: 0xff8800 }),
    control: node('ControlNetLoader', {
      control_net_name: 'Qwen-Image-InstantX-ControlNet-Union.safetensors',
    }),
    patch: node('ModelPatchLoader', { name: 'qwen_image_canny_diffsynth_controlnet.safetensors' }),
    steered: node('QwenImageDiffsynthControlnet', {
      model: ['network', 0],
      model_patch: ['patch', 0],
      vae: ['vae', 0],
      image: ['hint', 0],
      strength: 1,
    }),
  },
  'FLUX.2 dev': plain({
    model: unet('flux2_dev_fp8mixed.safetensors'),
    others: {
      clip: clip('mistral_3_small_flux2_fp8.safetensors', 'flux2'),
      vae: vae('flux2-vae.safetensors'),
    },
    latent: empty('EmptyFlux2LatentImage', 1024, 1024),
  }),
};

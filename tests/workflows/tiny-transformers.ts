/**
 * Tiny models of every kind that people's workflows of diffusion transformers name: real key names, the widths
 * of heads that releases have, few and narrow layers.
 */
import { join } from 'node:path';
import { openCase } from '../golden/open-case.ts';
import { ownGoldenDir } from '../support/golden.ts';
import * as cascade from '../support/tiny-cascade.ts';
import type { Shapes } from '../support/tiny-layers.ts';
import { blockwiseControl, qwenControlNet } from './tiny-controlnets.ts';
import { otherWidths, shrunk } from './shrunk.ts';
import type { FileTensors, StandIns } from './stand-ins.ts';
import { type Tensors, goldenTensors, random, randomLayers, under } from './tensors.ts';
import { flux2Vae, fluxVae, hunyuanImageVae, sdVae, wanVae } from './tiny-autoencoders.ts';
import {
  BERT,
  BYT5,
  byt5,
  CLIP,
  clipG,
  clipL,
  GEMMA,
  gemma2,
  hunyuanBert,
  llama,
  mistral,
  oldT5,
  pileT5,
  QWEN,
  qwen25of3b,
  qwen25of7b,
  qwen3of4b,
  T5,
  t5xxl,
  vocabulary,
} from './tiny-encoders.ts';

// Diffusion models

const diffusion = 'model.diffusion_model.';

const fluxWidths = { width: [3072, 128], others: { 768: CLIP, 4096: T5 } } as const;
const flux =
  (name: string, prefix = '') =>
  async () =>
    shrunk(name, { ...fluxWidths, prefix });
const chroma = async () => shrunk('chroma', { width: [3072, 128], others: { 4096: T5, 5120: 64 } });
/** What draws the pixels keeps its own width. */
const radiance = async () =>
  shrunk('chroma_radiance', {
    width: [3072, 128],
    others: { 4096: T5, 5120: 64, 49152: 49152 },
    blocks: { 'nerf_blocks.': 1 },
  });
/** Alpha's vector is of three sizes. */
const pixArt = (name: string) => async () =>
  shrunk(name, { width: [1152, 96], others: { 384: 32, 4096: T5 } });
const cosmos = async () =>
  shrunk('cosmos_predict2_2b_t2i', { width: [2048, 128], others: { 1024: T5, 256: 16 } });
/** Of the square of positions, not a width. */
const POSITIONS = 192 ** 2;
const sd3 = (name: string, width: number) => async () =>
  shrunk(name, {
    width: [width, 64],
    others: { 2048: 2 * CLIP, 4096: T5, [POSITIONS]: POSITIONS },
    prefix: diffusion,
  });
const lumina = async () =>
  shrunk('lumina2', { width: [2304, GEMMA], others: { 3840: 480, 1024: 128 }, prefix: diffusion });
const qwenImage = async () => shrunk('qwen_image', { width: [3072, 128], others: { 3584: QWEN } });
const omniGen = async () =>
  shrunk('omnigen2', { width: [2520, 360], others: { 840: 120, 2048: QWEN, 10240: 512 } });
const zImage = async () =>
  shrunk('z_image', { width: [3840, 128], others: { 2560: QWEN, 10240: 256 } });
const klein = async () =>
  shrunk('flux2_klein_4b', { width: [3072, 128], others: { 7680: 3 * QWEN } });

const flux2Dev = async () =>
  shrunk('flux2_dev', { width: [6144, 128], others: { 15360: 3 * QWEN } });
const auraFlow = async () =>
  shrunk('auraflow', { width: [3072, 256], others: { 2048: T5, 8192: 512 }, prefix: 'model.' });
const hunyuanImage = async () =>
  shrunk('hunyuan_image21', {
    width: [3584, 128],
    others: { 1472: BYT5, 2048: 128 },
    shapes: {
      'txt_in.input_embedder.weight': [128, QWEN],
      'txt_in.c_embedder.linear_1.weight': [128, QWEN],
      'txt_in.c_embedder.in_layer.weight': [128, QWEN],
    },
  });
const hiDream = async () =>
  shrunk('hidream', {
    width: [2560, 128],
    others: { 2048: 2 * CLIP, 4096: T5, 3584: 128, 6912: 256 },
    blocks: { 'caption_projection.': 5 },
  });
const hunyuanDit = async () =>
  shrunk('hunyuan_dit', {
    width: [1408, 176],
    others: { 1024: BERT, 2048: T5, 8192: 256, 6144: 256 },
    blocks: { 'blocks.': 4 },
    prefix: 'model.',
  });

// What else they look at

const siglip = () => goldenTensors('upscale', 'models/clip_vision/siglip.safetensors');

/** InstantX's for Flux: the shapes of a golden case, which has a mask beside the picture, in other widths. */
async function fluxControl(): Promise<Tensors> {
  const path = join(ownGoldenDir('transformer-control'), 'flux_inpaint.safetensors');
  const { params } = await openCase<{ readonly net: Shapes }>(path);
  const widths = {
    width: [32, 128],
    others: { 20: T5, 24: CLIP, 64: 64, 68: 64, 256: 256 },
  } as const;
  return randomLayers(
    Object.entries(params.net).map(([key, shape]) => [key, otherWidths(shape, widths)]),
  );
}

/** From the picture encoder's states to those of T5. */
async function redux(): Promise<Tensors> {
  const width = (await siglip()).get('vision_model.embeddings.position_embedding.weight')!.shape[1];
  return randomLayers([
    ['redux_up.weight', [3 * T5, width]],
    ['redux_up.bias', [3 * T5]],
    ['redux_down.weight', [T5, 3 * T5]],
    ['redux_down.bias', [T5]],
  ]);
}

/** A checkpoint of several files, each under its prefix. */
const together =
  (parts: Readonly<Record<string, () => Promise<FileTensors>>>) =>
  async (): Promise<FileTensors> => {
    const all = Object.entries(parts).map(async ([prefix, make]) =>
      under(await make(), '', prefix),
    );
    return new Map((await Promise.all(all)).flat());
  };

const inSd3 = {
  'first_stage_model.': fluxVae,
  'text_encoders.clip_l.transformer.': clipL,
  'text_encoders.clip_g.transformer.': clipG,
  'text_encoders.t5xxl.transformer.': t5xxl,
};
const inFlux = {
  'vae.': fluxVae,
  'text_encoders.clip_l.transformer.': clipL,
  'text_encoders.t5xxl.transformer.': t5xxl,
};

const inHunyuanDit = {
  'vae.': sdVae,
  'text_encoders.hydit_clip.transformer.': hunyuanBert,
  'text_encoders.mt5xl.transformer.': t5xxl,
  'text_encoders.mt5xl.': vocabulary,
};

/** A LoRA of rank 4 for the linear layers of a model whose keys match, in one of the spellings. */
const lora =
  (model: () => Promise<Tensors>, keys: RegExp, [up, down, front = '']: readonly string[]) =>
  async (): Promise<Tensors> => {
    const layers = [...(await model())].filter(([key]) => keys.test(key));
    return new Map(
      layers.flatMap(([key, { shape }], i) => {
        const layer = front + key.slice(0, -'.weight'.length);
        return [
          [`${layer}.${up}.weight`, random([shape[0], 4], 2 * i + 1, 0.5)],
          [`${layer}.${down}.weight`, random([4, shape[1]], 2 * i + 2, 0.5)],
        ] as const;
      }),
    );
  };

const fluxLora = lora(flux('flux_dev'), /double_blocks.*(qkv|proj)\.weight$/, [
  'lora_B',
  'lora_A',
  'diffusion_model.',
]);
const qwenLora = lora(qwenImage, /transformer_blocks.*(to_q|add_k_proj)\.weight$/, [
  'lora_up',
  'lora_down',
]);

// Stable Cascade

const inHalves = (shapes: cascade.Shapes) => async (): Promise<FileTensors> =>
  cascade.tensorsOf(shapes);
const stagesOfCascade = cascade.checkpoints({ text: CLIP, pictures: 24 });

/** Diffusion models by the names of their families. */
export const tinyDiffusionModels: Readonly<Record<string, () => Promise<FileTensors>>> = {
  'cascade-c': inHalves(stagesOfCascade.stageC),
  'cascade-b': inHalves(stagesOfCascade.stageB),
  sd3: sd3('sd3_medium', 1536),
  flux2: klein,
  flux: flux('flux_dev'),
  chroma,
  'chroma-radiance': radiance,
  'hunyuan-image': hunyuanImage,
  lumina2: lumina,
  'z-image': zImage,
  'qwen-image': qwenImage,
  omnigen2: omniGen,
  auraflow: auraFlow,
  hidream: hiDream,
  'hunyuan-dit': hunyuanDit,
  'pixart-alpha': pixArt('pixart_alpha'),
  'pixart-sigma': pixArt('pixart_sigma'),
  'cosmos-predict2': cosmos,
};

/** What stands in for files of diffusion transformers. */
export const tinyTransformers: StandIns = {
  checkpoints: [
    [/^sd3\.5_large/, together({ '': sd3('sd35_large', 2432), ...inSd3 })],
    [/^sd3_medium/, together({ '': sd3('sd3_medium', 1536), ...inSd3 })],
    [/^flux1-schnell/, together({ '': flux('flux_schnell', diffusion), ...inFlux })],
    [/^flux1-dev/, together({ '': flux('flux_dev', diffusion), ...inFlux })],
    [/^stable_cascade_stage_c/, inHalves(stagesOfCascade.stageC)],
    [/^stable_cascade_stage_b/, inHalves(stagesOfCascade.stageB)],
    [/^hunyuan_dit/, together({ '': hunyuanDit, ...inHunyuanDit })],
    [
      /^aura_flow/,
      together({ '': auraFlow, 'vae.': sdVae, 'text_encoders.pile_t5xl.transformer.': pileT5 }),
    ],
    [
      /^lumina_2/,
      together({ '': lumina, 'vae.': fluxVae, 'text_encoders.gemma2_2b.transformer.': gemma2 }),
    ],
  ],
  diffusion_models: [
    [/flux1-schnell/, flux('flux_schnell')],
    [/flux.*fill/, flux('flux_fill')],
    [/flux1-/, flux('flux_dev')],
    [/flux-2-klein-4b/, klein],
    [/radiance/i, radiance],
    [/chroma/i, chroma],
    [/pixart.*alpha/i, pixArt('pixart_alpha')],
    [/pixart.*sigma/i, pixArt('pixart_sigma')],
    [/cosmos_predict2.*t2i/, cosmos],
    [/qwen_image/, qwenImage],
    [/omnigen2/, omniGen],
    [/z_image/, zImage],
    [/^hidream/, hiDream],
    [/^flux2_dev/, flux2Dev],
    [/^hunyuanimage2\.1/, hunyuanImage],
    [/cosmos/i, 'Cosmos of videos is not here'],
  ],
  text_encoders: [
    [/^clip_l/, clipL],
    [/^clip_g/, clipG],
    [/^t5xxl/, t5xxl],
    [/^oldt5/, oldT5],
    [/^llama/, llama],
    [/^byt5/, byt5],
    [/^mistral/, mistral],
    [/^qwen_2\.5_vl_7b/, qwen25of7b],
    [/^qwen_2\.5_vl_fp16/, qwen25of3b],
    [/^qwen_3_4b/, qwen3of4b],
  ],
  vae: [
    [/^ae\./, fluxVae],
    [/^sd/, sdVae],
    [/^qwen_image_vae|^wan_2\.1/, wanVae],
    [/^cosmos/, "Cosmos 1's VAE is not here"],
    [/^flux2-vae/, flux2Vae],
    [/^hunyuan_image/, hunyuanImageVae],
  ],
  loras: [
    [/qwen/i, qwenLora],
    [/./, fluxLora],
  ],
  clip_vision: [[/^sigclip/, siglip]],
  style_models: [[/redux/, redux]],
  controlnet: [
    [/^stable_cascade_inpainting/, inHalves(cascade.control(4))],
    [/^stable_cascade/, inHalves(cascade.control(3))],
    [/^instantx_flux/, fluxControl],
    [/^Qwen-Image/, qwenControlNet(qwenImage)],
  ],
  model_patches: [[/./, blockwiseControl(qwenImage)]],
};

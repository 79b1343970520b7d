/** Files in the wrong place, of the wrong kind, or broken: what a prompt that names them ends with. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Prompt } from '../../engine/graph/definition.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { type TensorToWrite, encodeSafetensors } from '../../engine/weights/write.ts';
import { ownGoldenDir } from '../support/golden.ts';
import { randomTensors } from '../support/random-weights.ts';
import { createInstallation, runWorkflow } from '../support/run-workflow.ts';
import {
  FEW_TOKENS,
  QWEN_TOKENS,
  type Shapes,
  clip,
  languageModel,
  placeVocabularies,
  t5,
} from '../support/tiny-encoders.ts';

const installation = createInstallation();
const { base } = installation;
const runtime = createRuntime({ threads: 2 });
afterAll(async () => {
  await runtime.unloadAll();
  await installation.remove();
});

// Files

type Stored = TensorToWrite & { readonly bytes: Uint8Array };

const sd1 = join(import.meta.dirname, '../../models/checkpoints/tiny-scenes.safetensors');
const flux = join(ownGoldenDir('dit'), 'model_flux_dev.safetensors');
const fluxGguf = join(ownGoldenDir('quant'), 'flux_tiny_q8.gguf');
const autoencoder = join(ownGoldenDir('dit-vae'), 'model_flux_vae.safetensors');

const random = (shapes: Shapes): Buffer => file(randomTensors(shapes));
const file = (tensors: ReadonlyMap<string, Stored>): Buffer =>
  Buffer.from(encodeSafetensors(tensors));
const bytes = (text: string): Stored => ({
  dtype: 'U8',
  shape: [text.length],
  bytes: Buffer.from(text),
});

/** A model's file as far as these keys make it known. */
const keys = (...names: string[]): Buffer =>
  random(Object.fromEntries(names.map((name) => [name, [4, 4]])));

const lora = (layer: string): Buffer =>
  random({ [`${layer}.lora_up.weight`]: [8, 4], [`${layer}.lora_down.weight`]: [4, 8] });

/** The key that Flux is known by, and a layer of it as these tensors say that it is stored. */
function storedFlux(beside: Readonly<Record<string, Stored>>): Buffer {
  const layer = 'double_blocks.0.img_attn.qkv';
  const named = Object.entries(beside).map(([name, tensor]) => [layer + name, tensor] as const);
  return file(new Map([...randomTensors({ 'img_in.weight': [8, 8] }), ...named]));
}

const codes: Stored = { dtype: 'F8_E4M3', shape: [8, 8], bytes: new Uint8Array(64) };
const described = (format: string): Stored => bytes(JSON.stringify({ format }));
const languageModelFile = random(languageModel({ width: 8, tokens: FEW_TOKENS, normed: true }));

/** By path below `models`: bytes, or the file that is copied there. */
const files: Readonly<Record<string, Buffer | string>> = {
  'checkpoints/sd1.safetensors': sd1,
  'checkpoints/flux.safetensors': flux,
  'vae/ae.safetensors': autoencoder,
  'vae/flux.safetensors': flux,
  'vae/clip.safetensors': random(clip()),
  'text_encoders/clip.safetensors': random(clip()),
  'text_encoders/t5.safetensors': random(t5()),
  'text_encoders/llm.safetensors': languageModelFile,
  'text_encoders/short.safetensors': random(
    languageModel({ width: 8, tokens: QWEN_TOKENS, normed: true }),
  ),
  'text_encoders/flux.safetensors': flux,
  'text_encoders/ae.safetensors': autoencoder,
  'clip_vision/clip.safetensors': random(clip()),
  'controlnet/flux.safetensors': flux,
  'style_models/lora.safetensors': lora('lora_unet_double_blocks_0_img_attn_proj'),
  'upscale_models/ae.safetensors': autoencoder,
  'loras/flux.safetensors': lora('lora_unet_double_blocks_0_img_attn_proj'),
  'loras/sd.safetensors': lora('lora_unet_down_blocks_1_attentions_0_proj_in'),
  'loras/model.safetensors': flux,
  'unet/cut.gguf': readFileSync(fluxGguf).subarray(0, 100_000),
  'unet/head.gguf': readFileSync(fluxGguf).subarray(0, 100),
  'diffusion_models/flux.safetensors': flux,
  'diffusion_models/ae.safetensors': autoencoder,
  'diffusion_models/llm.safetensors': languageModelFile,
  'diffusion_models/lora.safetensors': lora('lora_unet_double_blocks_0_img_attn_proj'),
  'diffusion_models/wan.safetensors': keys('head.modulation', 'blocks.0.self_attn.q.weight'),
  'diffusion_models/ltx.safetensors': keys('adaln_single.emb.timestep_embedder.linear_1.bias'),
  'diffusion_models/hunyuan.safetensors': keys(
    'txt_in.individual_token_refiner.blocks.0.norm1.weight',
    'vector_in.in_layer.weight',
  ),
  'diffusion_models/mochi.safetensors': keys('t5_yproj.weight'),
  'diffusion_models/cut.safetensors': readFileSync(flux).subarray(0, 300_000),
  'diffusion_models/page.safetensors': Buffer.from('<!DOCTYPE html><title>Not found</title>'),
  'diffusion_models/pointer.safetensors': Buffer.from(
    'version https://git-lfs.github.com/spec/v1\n',
  ),
  'diffusion_models/gguf.safetensors': readFileSync(fluxGguf).subarray(0, 1000),
  'diffusion_models/empty.safetensors': Buffer.alloc(0),
  'diffusion_models/format.safetensors': storedFlux({
    '.weight': codes,
    '.comfy_quant': described('int3_blocks'),
  }),
  'diffusion_models/scale.safetensors': storedFlux({
    '.weight': codes,
    '.comfy_quant': described('float8_e4m3fn'),
  }),
  'diffusion_models/nf4.safetensors': storedFlux({
    '.weight': { dtype: 'U8', shape: [32, 1], bytes: new Uint8Array(32) },
    '.weight.absmax': { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) },
  }),
};

beforeAll(() => {
  for (const [path, content] of Object.entries(files)) {
    const target = join(base, 'models', path);
    mkdirSync(dirname(target), { recursive: true });
    if (typeof content === 'string') copyFileSync(content, target);
    else writeFileSync(target, content);
  }
  placeVocabularies(join(base, 'models/text_encoders'));
});

// Prompts

type Node = Prompt[string];

const node = (class_type: string, inputs: object): Node => ({ class_type, inputs }) as Node;
const shown = (first: Node, more: Readonly<Record<string, Node>> = {}): Prompt => ({
  first,
  ...more,
  end: node('PreviewAny', { source: [Object.keys(more).at(-1) ?? 'first', 0] }),
});

const checkpoint = (name: string): Node =>
  node('CheckpointLoaderSimple', { ckpt_name: `${name}.safetensors` });
const unet = (name: string): Node =>
  node('UNETLoader', { unet_name: `${name}.safetensors`, weight_dtype: 'default' });
const vae = (name: string): Node => node('VAELoader', { vae_name: `${name}.safetensors` });
const encoder = (name: string, type: string): Node =>
  node('CLIPLoader', { clip_name: `${name}.safetensors`, type });
const encoders = (first: string, second: string, type: string): Node =>
  node('DualCLIPLoader', {
    clip_name1: `${first}.safetensors`,
    clip_name2: `${second}.safetensors`,
    type,
  });

/** A step with this model on the text of these encoders. */
const sampled = (model: Node, clip: Node, latent = 'EmptyLatentImage'): Prompt =>
  shown(model, {
    clip,
    text: node('CLIPTextEncode', { clip: ['clip', 0], text: 'a cat' }),
    latent: node(latent, { width: 64, height: 64, batch_size: 1 }),
    steps: node('KSampler', {
      model: ['first', 0],
      positive: ['text', 0],
      negative: ['text', 0],
      latent_image: ['latent', 0],
      ...{ seed: 1, steps: 1, cfg: 1, sampler_name: 'euler', scheduler: 'normal', denoise: 1 },
    }),
  });

/** The message that the run of a prompt ends with; fails when it ends well. */
async function failure(prompt: Prompt): Promise<string> {
  const run = runWorkflow(JSON.stringify(prompt), { base, runtime });
  const error = await run.then(
    () => expect.unreachable('the prompt ran'),
    (reason: unknown) => String(reason),
  );
  const told = /"exception_message": ("(?:[^"\\]|\\.)*")/.exec(error);
  return told ? (JSON.parse(told[1]) as string).replaceAll(`${base}/models/`, '').trim() : error;
}

describe('a prompt says what is wrong with', () => {
  const unknown = 'could not detect the model type of this file';
  test.each<[what: string, prompt: Prompt, message: string]>([
    // the wrong folder
    [
      'a diffusion model as a VAE',
      shown(vae('flux')),
      `flux.safetensors: ${unknown}: it holds no picture autoencoder but seems to be a diffusion model, Flux (models/diffusion_models or checkpoints)`,
    ],
    [
      'a text encoder as a VAE',
      shown(vae('clip')),
      'it holds no picture autoencoder but seems to be a text encoder (models/text_encoders)',
    ],
    [
      'a VAE as a diffusion model',
      shown(unet('ae')),
      'it holds no diffusion model but seems to be a picture autoencoder (models/vae)',
    ],
    [
      'a language model as a diffusion model',
      shown(unet('llm')),
      'it holds no diffusion model but seems to be a text encoder (models/text_encoders)',
    ],
    [
      'a LoRA as a diffusion model',
      shown(unet('lora')),
      'it holds no diffusion model but seems to be a LoRA (models/loras)',
    ],
    [
      'a diffusion model as a text encoder',
      shown(encoder('flux', 'flux2')),
      'it holds no known text encoder but seems to be a diffusion model, Flux',
    ],
    [
      'a VAE as a text encoder',
      shown(encoder('ae', 'flux2')),
      'it holds no known text encoder but seems to be a picture autoencoder (models/vae)',
    ],
    [
      'a text encoder as a picture encoder',
      shown(node('CLIPVisionLoader', { clip_name: 'clip.safetensors' })),
      'it holds no picture encoder of CLIP or SigLIP but seems to be a text encoder',
    ],
    [
      'a diffusion model as a ControlNet',
      shown(node('ControlNetLoader', { control_net_name: 'flux.safetensors' })),
      'it is no ControlNet and no T2I-Adapter of a known kind but seems to be a diffusion model, Flux',
    ],
    [
      'a LoRA as a style model',
      shown(node('StyleModelLoader', { style_model_name: 'lora.safetensors' })),
      'it is neither a T2I style adapter nor Flux Redux but seems to be a LoRA (models/loras)',
    ],
    [
      'a VAE as an upscale model',
      shown(node('UpscaleModelLoader', { model_name: 'ae.safetensors' })),
      'it is no upscale model of a known architecture but seems to be a picture autoencoder (models/vae)',
    ],
    // text encoders
    [
      'T5 in the place of CLIP',
      shown(encoders('t5', 't5', 'flux')),
      'text encoders of type flux: expected clip_l and t5xxl, got t5xxl (t5.safetensors) and t5xxl (t5.safetensors)',
    ],
    [
      'CLIP in the place of T5',
      shown(encoders('clip', 'clip', 'flux')),
      'expected clip_l and t5xxl, got clip_l (clip.safetensors) and clip_l (clip.safetensors)',
    ],
    [
      'encoders of another type',
      shown(encoders('clip', 't5', 'sdxl')),
      'text encoders of type sdxl: expected clip_l and clip_g, got clip_l (clip.safetensors) and t5xxl',
    ],
    [
      'a type that is not here',
      shown(encoder('llm', 'joyimage')),
      "text encoders of type 'joyimage' are not supported; supported types are stable_diffusion, ",
    ],
    [
      'CLIP alone for Flux',
      sampled(unet('flux'), encoder('clip', 'stable_diffusion'), 'EmptySD3LatentImage'),
      "the text condition of Flux (clip_l and t5xxl): expected width 96, got width 64; was it made by another model's text encoder?",
    ],
    [
      'an encoder with another vocabulary',
      sampled(checkpoint('sd1'), encoder('llm', 'lumina2')),
      'expected ids below 512, for so many does this text encoder know, got 151645',
    ],
    [
      'a language model with too few layers',
      shown(encoder('short', 'flux2'), {
        text: node('CLIPTextEncode', { clip: ['first', 0], text: 'a' }),
      }),
      'short.safetensors: expected a language model of 27 layers or more, got 1',
    ],
    [
      'another CLIP for Stable Diffusion',
      sampled(checkpoint('sd1'), encoder('clip', 'stable_diffusion')),
      'the text condition of Stable Diffusion 1.x (clip_l): expected width 128, got width 64',
    ],
    // what a checkpoint lacks
    [
      'a checkpoint without text encoders',
      shown(checkpoint('flux'), {
        text: node('CLIPTextEncode', { clip: ['first', 1], text: 'a cat' }),
      }),
      'clip input is invalid: None',
    ],
    [
      'a checkpoint without a VAE',
      shown(checkpoint('flux'), {
        latent: node('EmptySD3LatentImage', { width: 64, height: 64, batch_size: 1 }),
        picture: node('VAEDecode', { samples: ['latent', 0], vae: ['first', 2] }),
      }),
      'VAE is invalid: None\n\nIf the VAE is from a checkpoint loader node your checkpoint does not contain',
    ],
    // models that are not here
    ['Wan', shown(unet('wan')), `wan.safetensors: ${unknown}: it seems to be Wan; supported are `],
    [
      'LTX-Video',
      shown(unet('ltx')),
      'it seems to be LTX-Video; supported are Stable Diffusion 1.x, ',
    ],
    ['HunyuanVideo', shown(unet('hunyuan')), 'it seems to be HunyuanVideo; supported are '],
    ['Mochi', shown(unet('mochi')), 'it seems to be Mochi; supported are '],
    // broken files
    [
      'a GGUF file without its end',
      shown(node('UnetLoaderGGUF', { unet_name: 'cut.gguf' })),
      'of a file of 100000 bytes: it is not whole',
    ],
    [
      'a GGUF file that is only a head',
      shown(node('UnetLoaderGGUF', { unet_name: 'head.gguf' })),
      'it ends within its head, at byte 100: it is not whole',
    ],
    [
      'a safetensors file without its end',
      shown(unet('cut')),
      'of a file of 300000 bytes: it is not whole',
    ],
    [
      'a web page',
      shown(unet('page')),
      'page.safetensors: not a valid safetensors file: it is a web page: what was saved is not the file',
    ],
    [
      'a pointer of Git LFS',
      shown(unet('pointer')),
      'it is a pointer of Git LFS: the file itself was not',
    ],
    [
      'a GGUF file of another name',
      shown(unet('gguf')),
      'it is a GGUF file: its name has to end in .gguf',
    ],
    ['an empty file', shown(unet('empty')), 'the file has 0 bytes'],
    // weights in few bits
    [
      'a format that is not known',
      shown(unet('format')),
      "'double_blocks.0.img_attn.qkv' is in the format int3_blocks, which is not supported (known: float8_e4m3fn, ",
    ],
    [
      'a scale that is missing',
      shown(unet('scale')),
      "scale.safetensors: tensor 'double_blocks.0.img_attn.qkv.weight_scale' is missing",
    ],
    [
      'weights of bitsandbytes without their description',
      shown(unet('nf4')),
      'nf4.safetensors: weights stored in four bits by bitsandbytes',
    ],
  ])('%s', async (_, prompt, message) => {
    expect(await failure(prompt)).toContain(message);
  });
});

describe('a LoRA that changes nothing: the log says why, and the prompt runs, as in ComfyUI', () => {
  const on = (model: Node, name: string): Prompt =>
    shown(model, {
      lora: node('LoraLoaderModelOnly', {
        model: ['first', 0],
        lora_name: `${name}.safetensors`,
        strength_model: 1,
      }),
    });
  test.each<[what: string, prompt: Prompt, message: string]>([
    [
      "Flux' on Stable Diffusion",
      on(checkpoint('sd1'), 'flux'),
      'loras/flux.safetensors: nothing in this file fits Stable Diffusion 1.x; it seems to be made for Flux',
    ],
    [
      "Stable Diffusion's on Flux",
      on(unet('flux'), 'sd'),
      'nothing in this file fits Flux; it seems to be made for a UNet (Stable Diffusion 1, 2, XL and their kin)',
    ],
    [
      'a whole model',
      on(unet('flux'), 'model'),
      'loras/model.safetensors: it holds no LoRA but seems to be a diffusion model, Flux',
    ],
  ])('%s', async (_, prompt, message) => {
    const lines: string[] = [];
    const log = (level: string, text: string): void => void lines.push(`${level} ${text}`);
    await runWorkflow(JSON.stringify(prompt), { base, runtime, log });
    expect(lines.map((line) => line.replaceAll(`${base}/models/`, ''))).toEqual([
      expect.stringContaining(message),
    ]);
  });
});

/** Programs of the architectures: tiny ones from the golden data, and those of released models at full size. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Shapes, scoped, vae } from '../../bench/random-checkpoint.ts';
import { clipText, detectClip } from '../../engine/arch/clip.ts';
import { clipVision } from '../../engine/arch/clip-vision.ts';
import { families } from '../../engine/arch/families/index.ts';
import type { Family } from '../../engine/arch/family.ts';
import { cascadeB, cascadeC } from '../../engine/arch/families/cascade.ts';
import { unetNetwork } from '../../engine/arch/families/unet-network.ts';
import { styleModelKinds } from '../../engine/arch/style-model.ts';
import { detectT2IAdapter, t2iAdapter } from '../../engine/arch/t2i-adapter.ts';
import { decodeTaesd, encodeTaesd } from '../../engine/arch/taesd.ts';
import { detectUNet } from '../../engine/arch/unet.ts';
import { decode, encode } from '../../engine/arch/vae.ts';
import { openWeights } from '../../engine/tensor/cursor.ts';
import { mulDim, symbol } from '../../engine/tensor/shape.ts';
import type { Tensor } from '../../engine/tensor/tensor.ts';
import { type Graph, type Program, trace } from '../../engine/tensor/trace.ts';
import { openClipVision } from '../../engine/values/clip-vision.ts';
import { diffusionModelOf } from '../../engine/values/load-checkpoint.ts';
import { openUpscaleModel } from '../../engine/values/upscale-model.ts';
import { fromDiffusersVae } from '../../engine/weights/key-maps/diffusers-vae.ts';
import { styleAdapterNames } from '../../engine/weights/key-maps/open-clip.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { type WeightSource, sub } from '../../engine/weights/source.ts';
import { gunzipped } from '../golden/open-case.ts';
import { manifestSource, readManifest, sourceOfShapes } from './manifest.ts';
import { randomSource } from './random-weights.ts';
import { hidreamShapes, tinyHiDream } from './tiny-hidream.ts';
import { hunyuanDitShapes, tinyHunyuanDit } from './tiny-hunyuan-dit.ts';
import * as cascade from './tiny-cascade.ts';
import { tinyUNet } from './tiny-unet.ts';

export type Programs = Readonly<Record<string, () => Promise<Program>>>;

const data = new URL('../golden/data/', import.meta.url);
const upscalers = join(import.meta.dirname, '../fixtures/upscale');

const open = async (path: string): Promise<WeightSource> =>
  openSafetensors(new URL(path, data).pathname);

async function clip(path: string): Promise<Program> {
  const source = await open(path);
  const { positions, width } = detectClip(openWeights(source))!;
  return trace('clip', source, (g) => {
    const inputs = {
      tokens: g.input('tokens', 'i64', ['batch', positions]),
      end: g.input('end', 'f32', ['batch', 1, positions]),
      padding: g.input('padding', 'f32', ['batch', 1, 1, positions]),
      inserted: {
        keep: g.input('keep', 'f32', ['batch', positions, 1]),
        rows: g.input('rows', 'f32', ['batch', positions, width]),
      },
    };
    const options = { activation: 'quickGelu', layer: -2, finalNorm: true } as const;
    return { ...clipText(g.weights, inputs, { ...options, projected: false }) };
  });
}

async function vision(path: string, prefix = ''): Promise<Program> {
  const { source, config } = openClipVision(sub(await open(path), prefix))!;
  return trace('clip-vision', source, (g) =>
    clipVision(g.weights, g.input('pixels', 'f32', ['batch', 3, config.size, config.size]), config),
  );
}

async function style(path: string): Promise<Program> {
  const source = styleAdapterNames(await open(path));
  const weights = openWeights(source);
  const kind = styleModelKinds.find(({ marker }) => weights.has(marker))!;
  return trace('style', source, (g) => ({
    out: kind.build(g.weights, g.input('x', 'f32', ['batch', 'tokens', kind.inputWidth(weights)])),
  }));
}

async function adapter(path: string): Promise<Program> {
  const source = await open(path);
  const config = detectT2IAdapter(openWeights(source))!;
  const side = (name: string) => mulDim(symbol(name), config.unshuffle);
  return trace('t2i-adapter', source, (g) => {
    const shape = ['batch', config.hintChannels, side('height'), side('width')];
    return t2iAdapter(g.weights, g.input('hint', 'f32', shape), config);
  });
}

async function upscaler(name: string): Promise<Program> {
  const file = await openSafetensors(await gunzipped(join(upscalers, name)));
  const { source, kind, inputChannels, multipleOf = 1, config } = await openUpscaleModel(file);
  const side = (axis: string) => mulDim(symbol(axis), multipleOf);
  return trace(kind.name, source, (g) => {
    const x = g.input('x', 'f32', [1, inputChannels, side('height'), side('width')]);
    return { out: kind.build(g.weights, x, config) };
  });
}

/** A network of some family, told what is `given`, with what small models have otherwise than releases. */
async function transformer(
  path: string,
  given: readonly string[],
  otherwise: object = {},
): Promise<Program> {
  const { family, config, source } = await diffusionModelOf(await open(path), families);
  const own = { ...(config as object), ...otherwise };
  return trace(family.name, source, (g) => family.network(g, own, new Set(given)));
}

const pictures = (
  name: string,
  source: WeightSource,
  channels: number,
  build: (g: Graph, x: Tensor) => Tensor,
): Program =>
  trace(name, source, (g) => ({
    out: build(g, g.input('x', 'f32', ['batch', channels, 'height', 'width'])),
  }));

const vae16 = async (): Promise<WeightSource> =>
  fromDiffusersVae(await open('vae/models/vae16_diffusers.safetensors'));

/** A stage of Stable Cascade of these shapes. */
function tinyStage<C>(family: Family<C>, shapes: cascade.Shapes): Program {
  const source = randomSource(shapes);
  const model = openWeights(source);
  const config = family.detect({ model, file: model, values: async () => undefined })!;
  return trace(family.name, source, (g) => family.network(g, config, new Set()));
}

/** The programs whose texts lie in tests/fixtures/replay. */
export const replayPrograms: Programs = {
  'unet-inpaint': () => tinyUNet('inpaint9'),
  'unet-sd2': () => tinyUNet('sd2'),
  'clip-l': () => clip('text-encoders/models/clip_l.safetensors'),
  'vae-encode': async () =>
    pictures('vae-encode', await vae16(), 3, (g, x) => encode(g.weights, x)),
  'vae-decode': async () =>
    pictures('vae-decode', await vae16(), 16, (g, x) => decode(g.weights, x)),
  'taesd-decode': async () =>
    pictures('taesd-decode', await open('vae/models/taesd_decoder.safetensors'), 4, (g, x) =>
      decodeTaesd(g.weights, x),
    ),
  pixart: () =>
    transformer('dit-more/model_pixart_alpha_diffusers.safetensors', ['sizes'], { heads: 4 }),
  'cosmos-predict2': () => transformer('dit-more/model_cosmos_predict2.safetensors', ['shares']),
  hidream: async () => tinyHiDream(randomSource(hidreamShapes), new Set(['beside'])),
  'hunyuan-dit': async () => tinyHunyuanDit(randomSource(hunyuanDitShapes)),
  'cascade-c': async () => tinyStage(cascadeC, cascade.stageC({ text: 8, pictures: 8 })),
  'cascade-b': async () => tinyStage(cascadeB, cascade.stageB({ text: 8 })),
};

/** A tiny program of every architecture that the repository has weights of. */
export const tinyPrograms: Programs = {
  ...replayPrograms,
  'unet-x4': () => tinyUNet('x4_upscaler'),
  'taesd-encode': async () =>
    pictures('taesd-encode', await open('vae/models/taesd_encoder.safetensors'), 3, (g, x) =>
      encodeTaesd(g.weights, x),
    ),
  'clip-vision': () =>
    vision('upscale/models/clip_vision/clip_vision_h_openclip.safetensors', 'visual.'),
  siglip: () => vision('upscale/models/clip_vision/siglip.safetensors'),
  redux: () => style('upscale/models/style_models/redux_tiny.safetensors'),
  't2i-style': () => style('upscale/models/style_models/t2i_style_tiny.safetensors'),
  't2i-adapter': () => adapter('controlnet/models/controlnet/t2i_adapter_gray.safetensors'),
  ...Object.fromEntries(readdirSync(upscalers).map((file) => [file, () => upscaler(file)])),
};

/** The UNet of a released model from its shapes alone: there are no bytes behind it. */
function fullUNet(name: string): Program {
  const source = sub(manifestSource(readManifest(name)!), 'model.diffusion_model.');
  const config = detectUNet(openWeights(source))!;
  const { admWidth } = config;
  const label =
    admWidth === undefined ? undefined : (g: Graph) => g.input('y', 'f32', ['batch', admWidth]);
  return trace('unet', source, (g) => unetNetwork(g, config, label));
}

/** The autoencoder of Stable Diffusion 1 to XL. */
function fullVae(): Program {
  const shapes: Shapes = new Map();
  vae(scoped(shapes, ''));
  const source = sourceOfShapes('vae', shapes);
  return pictures('vae-decode', source, 4, (g, x) => decode(g.weights, x));
}

/** Programs of released models at full size; they can be lowered and not opened. */
export const fullPrograms: Programs = {
  'sd15 unet': async () => fullUNet('sd15'),
  'sd21 unet': async () => fullUNet('sd21'),
  'sdxl unet': async () => fullUNet('sdxl'),
  vae: async () => fullVae(),
};

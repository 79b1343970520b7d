/** A tiny network of every architecture, on numbers that are the same each time. */
import { join } from 'node:path';
import { type NDArray, nd, sizeOf } from '../../engine/array/nd.ts';
import { channelsLast } from '../../engine/array/layout.ts';
import { controlNet, detectControlNet, hintFeatures } from '../../engine/arch/controlnet.ts';
import { families } from '../../engine/arch/families/index.ts';
import { vectorCondition } from '../../engine/arch/families/sdxl.ts';
import { unetNetwork } from '../../engine/arch/families/unet-network.ts';
import { detectUNet, unetBlocks } from '../../engine/arch/unet.ts';
import type { Runtime, SessionInput } from '../../engine/runtime/runtime.ts';
import type { Folders } from '../../engine/store/folders.ts';
import { openWeights } from '../../engine/tensor/cursor.ts';
import { type Graph, trace } from '../../engine/tensor/trace.ts';
import type { Tensor } from '../../engine/tensor/tensor.ts';
import { openVae, taesdVae } from '../../engine/values/autoencoders.ts';
import { encodePictures, requireClipVision } from '../../engine/values/clip-vision.ts';
import { encodePrompt } from '../../engine/values/clip.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import { openUpscaleModel } from '../../engine/values/upscale-model.ts';
import { upscale } from '../../engine/values/upscale.ts';
import { decode, encode } from '../../engine/values/vae.ts';
import { readTensor } from '../../engine/weights/read.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import { type WeightSource, memorySource, mergeSources, sub } from '../../engine/weights/source.ts';
import { floatTensor } from '../../engine/weights/write.ts';
import { gunzipped } from '../golden/open-case.ts';
import { tinyScenes } from '../support/draw-scene.ts';
import { ownGoldenDir } from '../support/golden.ts';
import { randomFloats } from '../support/random-weights.ts';

/** Random weights of the size that layers of so many inputs want. */
const smallSource = (shapes: Readonly<Record<string, readonly number[]>>): WeightSource =>
  memorySource(
    'small',
    JSON.stringify(shapes),
    Object.entries(shapes).map(([key, shape], i) => {
      const scale = 1 / Math.sqrt(sizeOf(shape.slice(1)));
      return [
        key,
        floatTensor(
          random(shape, i + 1).data.map((v) => v * scale),
          shape,
          'F32',
        ),
      ];
    }),
  );

type Outputs = Readonly<Record<string, NDArray>>;
/** Runs a network on a runtime. */
export type TinyNetwork = (runtime: Runtime) => Promise<Outputs>;

const upscalers = join(import.meta.dirname, '../fixtures/upscale');

const golden = (area: string, path: string): Promise<WeightSource> =>
  openSafetensors(join(ownGoldenDir(area), 'models', path));

const random = (shape: readonly number[], seed: number): NDArray =>
  nd(randomFloats(sizeOf(shape), seed), shape);

/** Pictures [b, h, w, 3] in 0..1. */
const pictures = (shape: readonly number[]): NDArray =>
  nd(
    random(shape, 5).data.map((v) => v / 2 + 0.5),
    shape,
  );

const program =
  (
    name: string,
    source: () => Promise<WeightSource>,
    build: (g: Graph) => Record<string, Tensor>,
    inputs: Readonly<Record<string, SessionInput>>,
  ): TinyNetwork =>
  async (runtime) => {
    const weights = await source();
    const session = await runtime.session(name, () => trace(name, weights, build));
    return session.run(inputs);
  };

const unetInputs = (channels: number, width: number) => ({
  x: random([2, channels, 8, 8], 1),
  timesteps: { data: Float32Array.of(999, 3), shape: [2] },
  cross: random([2, 7, width], 2),
});

const unetOf = async (name: string): Promise<WeightSource> =>
  sub(await golden('unet', `${name}.safetensors`), 'model.diffusion_model.');

/** The UNet of SD2 with a vector condition, as SDXL has one. */
const withVector = async (): Promise<WeightSource> =>
  mergeSources([
    await unetOf('sd2'),
    smallSource({
      'label_emb.0.0.weight': [256, 32 + 2 * 256],
      'label_emb.0.0.bias': [256],
      'label_emb.0.2.weight': [256, 256],
      'label_emb.0.2.bias': [256],
    }),
  ]);

/** A ControlNet for SD2: its encoder, with random layers for the hint and for what goes out. */
async function controlOfSd2(): Promise<WeightSource> {
  const unet = await unetOf('sd2');
  const blocks = unetBlocks(openWeights(unet)).filter(({ name }) =>
    name.startsWith('input_blocks'),
  );
  const middle = blocks.at(-1)!.channels;
  const hint = [
    3,
    16,
    16,
    32,
    32,
    96,
    96,
    256,
    openWeights(unet).shape('input_blocks.0.0.weight')[0],
  ];
  const convolutions = Object.fromEntries([
    ...hint.slice(1).flatMap((channels, i) => [
      [`input_hint_block.${2 * i}.weight`, [channels, hint[i], 3, 3]],
      [`input_hint_block.${2 * i}.bias`, [channels]],
    ]),
    ...blocks.flatMap(({ channels }, i) => [
      [`zero_convs.${i}.0.weight`, [channels, channels, 1, 1]],
      [`zero_convs.${i}.0.bias`, [channels]],
    ]),
    ['middle_block_out.0.weight', [middle, middle, 1, 1]],
    ['middle_block_out.0.bias', [middle]],
  ]) as Record<string, number[]>;
  return mergeSources([unet, smallSource(convolutions)]);
}

async function control(runtime: Runtime): Promise<Outputs> {
  const source = await controlOfSd2();
  const config = detectControlNet(openWeights(source))!;
  const { features } = await program(
    'hint',
    async () => source,
    (g) => ({ features: hintFeatures(g.weights, g.input('hint', 'f32', ['b', 3, 64, 64])) }),
    { hint: random([2, 3, 64, 64], 3) },
  )(runtime);
  const build = (g: Graph) => {
    const inputs = {
      x: g.input('x', 'f32', ['b', 4, 'h', 'w']),
      timesteps: g.input('timesteps', 'f32', ['b']),
      context: g.input('cross', 'f32', ['b', 't', 64]),
      hint: g.input('hint', 'f32', ['b', config.modelChannels, 'h', 'w']),
    };
    return controlNet(g.weights, inputs, config);
  };
  const inputs = { ...unetInputs(4, 64), hint: features };
  return { features, ...(await program('control', async () => source, build, inputs)(runtime)) };
}

/** All three parts of the bundled checkpoint. */
async function scenes(runtime: Runtime): Promise<Outputs> {
  const { clip, vae } = await loadCheckpoint(tinyScenes, families);
  const services = { runtime, folders: { modelFiles: () => [] } as unknown as Folders };
  const { cross } = (await encodePrompt(clip, 'a house on grass', services)) as { cross: NDArray };
  const latents = await encode(vae, pictures([1, 64, 64, 3]), { runtime });
  return { cross, latents, picture: await decode(vae, random([1, 4, 8, 8], 8), { runtime }) };
}

const upscaler =
  (file: string): TinyNetwork =>
  async (runtime) => {
    const source = await openSafetensors(await gunzipped(join(upscalers, file)));
    const { data, shape } = await readTensor(source, 'in');
    const model = await openUpscaleModel(source);
    return { out: await upscale(model, channelsLast(nd(data, shape)), { runtime }) };
  };

export const tinyNetworks: Readonly<Record<string, TinyNetwork>> = {
  'unet of SD1, for inpainting': program(
    'unet',
    () => unetOf('inpaint9'),
    (g) => unetNetwork(g, detectUNet(g.weights)!),
    unetInputs(9, 64),
  ),
  'unet of SD2': program(
    'unet',
    () => unetOf('sd2'),
    (g) => unetNetwork(g, detectUNet(g.weights)!),
    unetInputs(4, 64),
  ),
  'unet with a vector condition': program(
    'unet',
    withVector,
    (g) =>
      unetNetwork(g, detectUNet(g.weights)!, (g) =>
        vectorCondition(
          g.input('pooled', 'f32', ['batch', 32]),
          g.input('numbers', 'f32', ['batch', 2]),
        ),
      ),
    {
      ...unetInputs(4, 64),
      pooled: random([2, 32], 6),
      numbers: { data: Float32Array.of(1024, 0, 512, 64), shape: [2, 2] },
    },
  ),
  'control network': control,
  'text encoder and autoencoder of the bundled model': scenes,
  'autoencoder of 16 channels': async (runtime) => {
    const vae = openVae(await golden('vae', 'vae16_diffusers.safetensors'));
    return {
      latents: await encode(vae, pictures([1, 32, 32, 3]), { runtime }),
      picture: await decode(vae, random([1, 16, 4, 4], 8), { runtime }),
    };
  },
  TAESD: async (runtime) => {
    const [encoder, decoder] = await Promise.all([
      golden('vae', 'taesd_encoder.safetensors'),
      golden('vae', 'taesd_decoder.safetensors'),
    ]);
    const vae = taesdVae({ encoder, decoder }, { scale: 0.18215 });
    return {
      latents: await encode(vae, pictures([1, 32, 32, 3]), { runtime }),
      picture: await decode(vae, random([1, 4, 4, 4], 8), { runtime }),
    };
  },
  'picture half of CLIP': async (runtime) => {
    const file = await golden('upscale', 'clip_vision/clip_vision_h_openclip.safetensors');
    const vision = requireClipVision(file);
    const { last, penultimate, embeds } = await encodePictures(
      vision,
      pictures([1, 32, 48, 3]),
      'center',
      { runtime },
    );
    return { last, penultimate, embeds };
  },
  'upscaler of convolutions': upscaler('esrgan-plus-x2.safetensors.gz'),
  'upscaler of windows': upscaler('swinir-nearest-x4.safetensors.gz'),
};

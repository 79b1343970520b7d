/** The kinds of autoencoders that a VAE value can be; a new one is a row of `kinds`. */
import { sliceAxis } from '../array/batch.ts';
import { type NDArray, reshape } from '../array/nd.ts';
import { decodeStageA, detectStageA, encodeStageA } from '../arch/cascade/stage-a.ts';
import {
  type StageCCoderConfig,
  detectStageCCoder,
  encodeStageC,
  previewStageC,
} from '../arch/cascade/stage-c-coder.ts';
import { decodeFlux2, detectFlux2Vae, encodeFlux2 } from '../arch/flux2-vae.ts';
import {
  decodeHunyuanFrame,
  decodeHunyuanImage,
  detectHunyuanImageVae,
  detectHunyuanRefinerVae,
  encodeHunyuanFrame,
  encodeHunyuanImage,
} from '../arch/hunyuan-image-vae.ts';
import { decodeTaesd, detectTaesdDecoder, encodeTaesd } from '../arch/taesd.ts';
import { type VaeConfig, decode, detectVae, encode } from '../arch/vae.ts';
import { type WanVaeConfig, decodeFrame, detectWanVae, encodeFrame } from '../arch/wan-vae.ts';
import { foreignAutoencoder } from '../arch/families/foreign.ts';
import { NoodleError } from '../errors.ts';
import type { LatentFormat } from '../sampling/latent/formats.ts';
import { type Weights, openWeights } from '../tensor/cursor.ts';
import { add, div, mul, sub as minus } from '../tensor/nn.ts';
import { mulDim, symbol } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from '../tensor/trace.ts';
import { fromDiffusersVae, isDiffusersVae } from '../weights/key-maps/diffusers-vae.ts';
import { type WeightSource, memorySource, mergeSources, rename } from '../weights/source.ts';
import { instead } from './contents.ts';
import { type Architecture, type NetworkRun, openNetwork } from './network.ts';
import type { AutoencoderKind, CellSize, Vae } from './vae.ts';

/** An autoencoder of single pictures as its architecture file has it. */
interface PictureNetwork {
  /** Prefix of its networks' names. */
  readonly name: string;
  detect(w: Weights): VaeConfig | undefined;
  encode(w: Weights, picture: Tensor): Tensor;
  decode(w: Weights, latent: Tensor): Tensor;
}

/** Some overflow in half precision, and shapes do not tell which: loaders that know do. */
const ofPictures = (network: PictureNetwork): AutoencoderKind<VaeConfig> => ({
  detect(source) {
    const config = network.detect(openWeights(source));
    if (!config) return undefined;
    const { latentChannels, factor } = config;
    return { config, latentChannels, factor: { space: factor }, fullPrecision: true };
  },
  encode: (vae, pictures, run) =>
    runOn(pictures, vae, run, {
      name: `${network.name}-encode`,
      build: (g) => ({ out: network.encode(g.weights, pictureInput(g, vae)) }),
    }),
  decode: (vae, latents, run) =>
    runOn(latents, vae, run, {
      name: `${network.name}-decode`,
      build: (g) => ({ out: network.decode(g.weights, latentInput(g, vae)) }),
    }),
  bytes: widestBytes,
});

/** AutoencoderKL. */
const kl = ofPictures({ name: 'vae', detect: detectVae, encode, decode });

/** The autoencoder of FLUX.2. */
const flux2 = ofPictures({
  name: 'flux2-vae',
  detect: detectFlux2Vae,
  encode: encodeFlux2,
  decode: decodeFlux2,
});

/** The autoencoder of HunyuanImage 2.1. */
const hunyuanImage = ofPictures({
  name: 'hunyuan-image-vae',
  detect: detectHunyuanImageVae,
  encode: encodeHunyuanImage,
  decode: decodeHunyuanImage,
});

/** An autoencoder of videos, here of one frame. */
interface FrameNetwork<C> {
  /** Prefix of its networks' names. */
  readonly name: string;
  detect(w: Weights): (C & Pick<Vae, 'latentChannels' | 'pictureChannels' | 'stills'>) | undefined;
  factor(config: C): CellSize & { readonly time: number };
  encode(w: Weights, frame: Tensor): Tensor;
  decode(w: Weights, latent: Tensor): Tensor;
}

const ofFrames = <C extends Pick<VaeConfig, 'encoderWidth' | 'decoderWidth'>>(
  network: FrameNetwork<C>,
): AutoencoderKind<C> => ({
  detect(source) {
    const config = network.detect(openWeights(source));
    if (!config) return undefined;
    const { latentChannels, pictureChannels, stills } = config;
    const factor = network.factor(config);
    return { config, latentChannels, pictureChannels, stills, factor, fullPrecision: true };
  },
  async encode(vae, pictures, run) {
    // the first latent frame is of the first picture, the next one of those behind it
    const latent = await runOn(onlyFrame(pictures, vae.factor.time! + 1), vae, run, {
      name: `${network.name}-encode`,
      build: (g) => ({ out: network.encode(g.weights, pictureInput(g, vae)) }),
    });
    return withFrame(latent);
  },
  async decode(vae, latents, run) {
    const picture = await runOn(onlyFrame(latents, 2), vae, run, {
      name: `${network.name}-decode`,
      build: (g) => ({ out: network.decode(g.weights, latentInput(g, vae)) }),
    });
    return withFrame(picture);
  },
  bytes: widestBytes,
});

/** The autoencoder of Wan 2.1 and Qwen-Image. */
const wan = ofFrames<WanVaeConfig>({
  name: 'wan-vae',
  detect: detectWanVae,
  factor: () => ({ space: 8, time: 4 }),
  encode: encodeFrame,
  decode: decodeFrame,
});

/** The autoencoder of HunyuanImage's refiner. */
const hunyuanRefiner = ofFrames<VaeConfig>({
  name: 'hunyuan-refiner-vae',
  detect(w) {
    const config = detectHunyuanRefinerVae(w);
    return config && { ...config, stills: true };
  },
  factor: ({ factor }) => ({ space: factor, time: 4 }),
  encode: encodeHunyuanFrame,
  decode: decodeHunyuanFrame,
});

/** The first frame of [b, c, frames, h, w]. Throws UNSUPPORTED when there are `tooMany` or more. */
function onlyFrame(x: NDArray, tooMany: number): NDArray {
  const [batch, channels, frames, ...sides] = x.shape;
  if (frames >= tooMany) {
    throw new NoodleError('UNSUPPORTED', { what: `videos (${frames} frames) with this VAE` });
  }
  return reshape(sliceAxis(x, 2, 0, 1), [batch, channels, ...sides]);
}

const withFrame = (x: NDArray): NDArray => {
  const [batch, channels, ...sides] = x.shape;
  return reshape(x, [batch, channels, 1, ...sides]);
};

/** Stage A of Stable Cascade. */
const stageA: AutoencoderKind = {
  ...ofPictures({
    name: 'stage-a',
    detect: detectStageA,
    encode: encodeStageA,
    decode: decodeStageA,
  }),
  unsigned: true,
};

/** What reads and shows latents of stage C; files may have one half only. */
const stageC: AutoencoderKind<StageCCoderConfig> = {
  detect(source) {
    const config = detectStageCCoder(openWeights(source));
    if (!config) return undefined;
    const { latentChannels } = config;
    return { config, latentChannels, factor: { space: 32, drawn: 8 }, fullPrecision: true };
  },
  async encode(vae, pictures, run) {
    const path = halfOf(vae, 'encoder');
    return runOn(pictures, vae, run, {
      name: 'stage-c-encode',
      build: (g) => ({ out: encodeStageC(g.weights, pictureInput(g, vae), path) }),
    });
  },
  async decode(vae, latents, run) {
    const path = halfOf(vae, 'previewer');
    return runOn(latents, vae, run, {
      name: 'stage-c-preview',
      build: (g) => ({ out: previewStageC(g.weights, latentInput(g, vae), path) }),
    });
  },
  bytes: ({ width }, pixels, task) => workingBytes(pixels, task === 'encode' ? 24 : width),
};

/** Where a half lies. Throws BAD_INPUT where the file lacks it. */
function halfOf({ config, source }: Vae<StageCCoderConfig>, half: 'encoder' | 'previewer'): string {
  const path = config[half];
  if (path !== undefined) return path;
  const [expected, got] =
    half === 'encoder' ? ['an encoder', 'a previewer only'] : ['a previewer', 'an encoder only'];
  throw new NoodleError('BAD_INPUT', { subject: `the VAE ${source.label}`, expected, got });
}

/** Relation of a TAESD's latents to VAE units: z = (raw - shift) * scale, as of its latent format. */
type TaesdScale = Pick<LatentFormat, 'scale' | 'shift'>;

/** TAESD: both halves in one source, under `taesd_encoder.` and `taesd_decoder.`. */
const taesd: AutoencoderKind<TaesdScale> = {
  detect(source) {
    const found = detectTaesdDecoder(openWeights(source).at('taesd_decoder'));
    return found && { ...found, factor: { space: 8 }, config: { scale: 1 } };
  },
  encode: (vae, pictures, run) => {
    const { scale, shift = 0 } = vae.config;
    const build = (g: Graph) => {
      const picture = add(mul(pictureInput(g, vae), 0.5), 0.5);
      const latent = encodeTaesd(g.weights.at('taesd_encoder'), picture); // [b, z, h, w]
      return { out: add(div(latent, scale), shift) };
    };
    return runOn(pictures, vae, run, { name: 'taesd-encode', settings: { scale, shift }, build });
  },
  decode: (vae, latents, run) => {
    const { scale, shift = 0 } = vae.config;
    const build = (g: Graph) => {
      const latent = mul(minus(latentInput(g, vae), shift), scale);
      const picture = decodeTaesd(g.weights.at('taesd_decoder'), latent); // [b, 3, H, W]
      return { out: minus(mul(picture, 2), 1) };
    };
    return runOn(latents, vae, run, { name: 'taesd-decode', settings: { scale, shift }, build });
  },
  bytes: (_, pixels) => workingBytes(pixels, 64),
};

/** No autoencoder: latents are pictures in -1..1. */
const pixelSpace: AutoencoderKind<null> = {
  detect: (source) =>
    source.tensors.has('pixel_space_vae')
      ? { config: null, latentChannels: 3, factor: { space: 1 } }
      : undefined,
  encode: async (_, pictures) => pictures,
  decode: async (_, latents) => latents,
  bytes: () => 1,
};

/** The kinds that are told from one source; TAESD's halves come as two (`taesdVae`). */
const kinds: readonly AutoencoderKind[] = [
  pixelSpace,
  stageA,
  stageC,
  flux2,
  hunyuanImage,
  hunyuanRefiner,
  kl,
  wan,
];

/** The autoencoder in a source (its prefix removed). Throws FAMILY_UNKNOWN for kinds we cannot run. */
export function openVae(file: WeightSource): Vae {
  const source = isDiffusersVae(file) ? fromDiffusersVae(file) : file;
  for (const kind of kinds) {
    const detected = kind.detect(source);
    if (detected) return { ...detected, kind, source, patches: [] };
  }
  const seems = foreignAutoencoder(openWeights(source));
  const reason = seems
    ? `it seems to be the autoencoder of ${seems}, which is not supported`
    : `it holds no picture autoencoder${instead(file)}`;
  throw new NoodleError('FAMILY_UNKNOWN', { file: file.label, reason });
}

/**
 * A TAESD for latents of a format, of two files; without an encoder it can only decode. Throws
 * FAMILY_UNKNOWN when the decoder's file holds something else.
 */
export function taesdVae(
  files: { readonly encoder?: WeightSource; readonly decoder: WeightSource },
  { scale, shift }: TaesdScale,
): Vae {
  const half = (name: string, source: WeightSource) =>
    rename(source, (key) => `${name}.${key}`, { tag: name });
  const source = mergeSources([
    ...(files.encoder ? [half('taesd_encoder', files.encoder)] : []),
    half('taesd_decoder', files.decoder),
  ]);
  const detected = taesd.detect(source);
  if (!detected) {
    const reason = 'it holds no TAESD decoder';
    throw new NoodleError('FAMILY_UNKNOWN', { file: files.decoder.label, reason });
  }
  return { ...detected, kind: taesd, config: { scale, shift }, source, patches: [] };
}

/** No autoencoder at all, as VAELoader offers it; the tensor is a mark, as in ComfyUI. */
export const pixelSpaceVae: Vae = openVae(
  memorySource('pixel space', 'pixel space', [
    ['pixel_space_vae', { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) }],
  ]),
);

/** Pictures of whole cells. */
function pictureInput(g: Graph, { pictureChannels = 3, factor: { space } }: Vae): Tensor {
  const side = (name: string) => mulDim(symbol(name), space);
  return g.input('x', 'f32', ['batch', pictureChannels, side('height'), side('width')]);
}

const latentInput = (g: Graph, { latentChannels }: Vae): Tensor =>
  g.input('x', 'f32', ['batch', latentChannels, 'height', 'width']);

async function runOn(
  x: NDArray,
  vae: Vae,
  run: NetworkRun,
  architecture: Architecture,
): Promise<NDArray> {
  const { fullPrecision } = vae;
  const network = openNetwork(run, vae, { ...architecture, role: 'vae', fullPrecision });
  return (await network({ x }, { rows: x.shape[0] })).out;
}

/** By the channels at full resolution. */
function widestBytes(
  { encoderWidth, decoderWidth }: Pick<VaeConfig, 'encoderWidth' | 'decoderWidth'>,
  pixels: number,
  task: 'encode' | 'decode',
): number {
  return workingBytes(pixels, task === 'encode' ? encoderWidth : decoderWidth);
}

/** Measured: at its peak a call holds about six fp32 feature maps of full resolution. */
const workingBytes = (pixels: number, width: number): number => pixels * width * 4 * 6;

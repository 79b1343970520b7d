/** The autoencoders that a VAE value can be: KL, TAESD, and pixel space (none at all). */
import { decodeTaesd, detectTaesdDecoder, encodeTaesd } from '../arch/taesd.ts';
import { decode, detectVae, encode } from '../arch/vae.ts';
import { NoodleError } from '../errors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { openWeights } from '../tensor/cursor.ts';
import { add, div, mul, sub as minus } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Graph, trace } from '../tensor/trace.ts';
import type { NDArray } from '../array/nd.ts';
import { fromDiffusersVae, isDiffusersVae } from '../weights/key-maps/diffusers-vae.ts';
import type { WeightSource } from '../weights/source.ts';
import type { Vae } from './vae.ts';

/** The autoencoder in a source (its prefix removed). Throws FAMILY_UNKNOWN for kinds we cannot run. */
export function openVae(file: WeightSource): Vae {
  const source = isDiffusersVae(file) ? fromDiffusersVae(file) : file;
  const weights = openWeights(source);
  const config = detectVae(weights);
  if (!config) {
    const seems = foreign.find(({ key }) => weights.has(key))?.title;
    const reason = seems
      ? `it seems to be the autoencoder of ${seems}, which is not supported`
      : 'it holds no picture autoencoder';
    throw new NoodleError('FAMILY_UNKNOWN', { file: file.label, reason });
  }
  const { factor, latentChannels } = config;
  return {
    latentChannels,
    factor,
    encode: (runtime, pictures, signal) =>
      runProgram(runtime, `vae-encode|${source.identity}`, pictures, signal, () =>
        trace('vae-encode', source, (g) => ({
          out: encode(g.weights, g.input('x', 'f32', ['batch', 3, 'height', 'width'])),
        })),
      ),
    decode: (runtime, latents, signal) =>
      runProgram(runtime, `vae-decode|${source.identity}`, latents, signal, () =>
        trace('vae-decode', source, (g) => ({
          out: decode(g.weights, g.input('x', 'f32', ['batch', latentChannels, 'height', 'width'])),
        })),
      ),
    bytes: (pixels, task) =>
      workingBytes(pixels, task === 'encode' ? config.encoderWidth : config.decoderWidth),
  };
}

/** Relation of a TAESD's latents to VAE units: z = (raw - shift) * scale. */
export interface TaesdScale {
  readonly scale: number;
  readonly shift: number;
}

/** The four published TAESD pairs, by the name VAELoader gives them. */
export const taesdScales: Readonly<Record<string, TaesdScale>> = {
  taesd: { scale: 0.18215, shift: 0 },
  taesdxl: { scale: 0.13025, shift: 0 },
  taesd3: { scale: 1.5305, shift: 0.0609 },
  taef1: { scale: 0.3611, shift: 0.1159 },
};

/** A TAESD as a full VAE. Throws FAMILY_UNKNOWN when the decoder's file holds something else. */
export function taesdVae(
  files: { readonly encoder: WeightSource; readonly decoder: WeightSource },
  { scale, shift }: TaesdScale,
): Vae {
  const config = detectTaesdDecoder(openWeights(files.decoder));
  if (!config) {
    const reason = 'it holds no TAESD decoder';
    throw new NoodleError('FAMILY_UNKNOWN', { file: files.decoder.label, reason });
  }
  const { latentChannels } = config;
  const encoder = (g: Graph): Tensor => {
    const picture = g.input('x', 'f32', ['batch', 3, 'height', 'width']);
    const latent = encodeTaesd(g.weights, add(mul(picture, 0.5), 0.5)); // [b, z, h, w]
    return add(div(latent, scale), shift);
  };
  const decoder = (g: Graph): Tensor => {
    const latent = g.input('x', 'f32', ['batch', latentChannels, 'height', 'width']);
    const picture = decodeTaesd(g.weights, mul(minus(latent, shift), scale)); // [b, 3, H, W]
    return minus(mul(picture, 2), 1);
  };
  const key = (source: WeightSource) => `taesd|${source.identity}|${scale}|${shift}`;
  return {
    latentChannels,
    factor: 8,
    encode: (runtime, pictures, signal) =>
      runProgram(runtime, key(files.encoder), pictures, signal, () =>
        trace('taesd-encode', files.encoder, (g) => ({ out: encoder(g) })),
      ),
    decode: (runtime, latents, signal) =>
      runProgram(runtime, key(files.decoder), latents, signal, () =>
        trace('taesd-decode', files.decoder, (g) => ({ out: decoder(g) })),
      ),
    bytes: (pixels) => workingBytes(pixels, 64),
  };
}

/** No autoencoder: latents are pictures in -1..1. */
export const pixelSpaceVae: Vae = {
  latentChannels: 3,
  factor: 1,
  encode: async (_, pictures) => pictures,
  decode: async (_, latents) => latents,
  bytes: () => 1,
};

/** Measured: at its peak a call holds about six fp32 feature maps of full resolution. */
const workingBytes = (pixels: number, width: number): number => pixels * width * 4 * 6;

async function runProgram(
  runtime: Runtime,
  key: string,
  x: NDArray,
  signal: AbortSignal | undefined,
  build: Parameters<Runtime['session']>[1],
): Promise<NDArray> {
  const session = await runtime.session(key, build);
  return (await session.run({ x }, { signal })).out;
}

const foreign: readonly { readonly key: string; readonly title: string }[] = [
  { key: 'decoder.mid.block_1.mix_factor', title: 'Stable Video Diffusion' },
  { key: 'vquantizer.codebook.weight', title: 'Stable Cascade (stage A)' },
  { key: 'encoder.backbone.1.0.block.0.1.num_batches_tracked', title: 'Stable Cascade (stage C)' },
  { key: 'backbone.1.0.block.0.1.num_batches_tracked', title: 'Stable Cascade (stage C)' },
  { key: 'decoder.layers.1.layers.0.beta', title: 'Stable Audio' },
  { key: 'blocks.2.blocks.3.stack.5.weight', title: 'Mochi' },
  { key: 'decoder.up_blocks.0.res_blocks.0.conv1.conv.weight', title: 'LTX-Video' },
  { key: 'decoder.conv_in.conv.weight', title: 'HunyuanVideo' },
  { key: 'decoder.unpatcher3d.wavelets', title: 'Cosmos' },
  { key: 'decoder.middle.0.residual.0.gamma', title: 'Wan' },
  { key: 'geo_decoder.cross_attn_decoder.ln_1.bias', title: 'Hunyuan 3D' },
  { key: 'vocoder.backbone.channel_layers.0.0.bias', title: 'ACE-Step' },
  { key: 'decoder.conv_in.weight', title: 'HunyuanImage' },
];

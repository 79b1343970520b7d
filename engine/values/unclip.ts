/**
 * unCLIP: pictures as a vector beside the text (Ramesh et al. 2022, "Hierarchical Text-Conditional Image
 * Generation with CLIP Latents"; the noise on embeddings: Ho et al. 2021, "Cascaded Diffusion Models").
 * Steps and seeds as ComfyUI's `unclip_adm`.
 */
import { add, scale, zip } from '../array/elementwise.ts';
import { concat, rows, sliceAxis } from '../array/batch.ts';
import { type NDArray, nd } from '../array/nd.ts';
import { roundHalfEven } from '../array/round.ts';
import { NoodleError } from '../errors.ts';
import { TorchGenerator } from '../sampling/noise/torch-generator.ts';
import type { ClipVisionOutput } from './clip-vision.ts';

/** Pictures in a conditioning entry's extras, under `unclip`. */
export interface SeenPicture {
  readonly output: Pick<ClipVisionOutput, 'embeds'>;
  readonly strength: number;
  /** 0 is the picture, 1 nothing but noise. */
  readonly noiseAugmentation: number;
}

export interface UnclipOptions {
  /** Width of an embedding. */
  readonly width: number;
  /** Noise put on the sum of several pictures, 0..1. */
  readonly mergeNoise: number;
  /** The sampler's seed. */
  readonly seed: number | bigint;
  /** Statistics that embeddings are normalised by while noise is added: [1, width] each. */
  readonly stats?: { readonly mean: NDArray; readonly std: NDArray };
}

const levels = 1000;

/**
 * [1, 2*width]: the noised embedding and a sinusoidal embedding of its noise level, times the strength.
 * Several pictures are summed, and their sum noised once more. Throws BAD_INPUT for embeddings of
 * another width.
 */
export function unclipVector(pictures: readonly SeenPicture[], options: UnclipOptions): NDArray {
  const { width, mergeNoise, seed } = options;
  let generator = new TorchGenerator(0);
  const vectors = pictures.flatMap(({ output: { embeds }, strength, noiseAugmentation }) => {
    checkEmbeddings(embeds, width);
    return Array.from({ length: embeds.shape[0] }, (_, i) => {
      generator = new TorchGenerator(BigInt(seed) - 10n); // anew for each picture
      const noised = noisedEmbedding(rows(embeds, i, i + 1), noiseAugmentation, generator, options);
      return scale(noised, strength);
    });
  });
  if (vectors.length === 1) return vectors[0];
  const sum = sliceAxis(vectors.reduce(add), 1, 0, width);
  return noisedEmbedding(sum, mergeNoise, generator, options);
}

function noisedEmbedding(
  x: NDArray,
  augmentation: number,
  generator: TorchGenerator,
  { stats }: UnclipOptions,
): NDArray {
  const level = roundHalfEven((levels - 1) * augmentation);
  const kept = (schedule ??= squaredCosine())[level];
  const [signal, noise] = [Math.sqrt(kept), Math.sqrt(1 - kept)].map(Math.fround);
  const normal = stats
    ? zip(
        zip(x, stats.mean, (a, m) => a - m),
        stats.std,
        (a, s) => a / s,
      )
    : x;
  const mixed = zip(normal, generator.randn(x.shape), (a, e) => signal * a + noise * e);
  const out = stats
    ? zip(
        zip(mixed, stats.std, (a, s) => a * s),
        stats.mean,
        (a, m) => a + m,
      )
    : mixed;
  return concat([out, sinusoid(level, x.shape[1])], 1);
}

let schedule: Float64Array | undefined;

/** Nichol & Dhariwal 2021: what is left of the signal's variance at every level. */
function squaredCosine(): Float64Array {
  const at = (t: number): number => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2;
  const left = new Float64Array(levels);
  let product = 1;
  for (let i = 0; i < levels; i++) {
    product *= 1 - Math.min(1 - at((i + 1) / levels) / at(i / levels), 0.999);
    left[i] = product;
  }
  return left;
}

/** cat(cos, sin)(t * 10000^(-i / half)): [1, width]. */
function sinusoid(t: number, width: number): NDArray {
  const half = Math.floor(width / 2);
  const data = new Float32Array(width);
  for (let i = 0; i < half; i++) {
    const angle = Math.fround(t * Math.fround(Math.exp((-Math.log(10000) * i) / half)));
    data[i] = Math.cos(angle);
    data[half + i] = Math.sin(angle);
  }
  return nd(data, [1, width]);
}

/** Throws BAD_INPUT for embeddings of another width. */
export function checkEmbeddings({ shape }: NDArray, width: number): void {
  if (shape.length === 2 && shape[1] === width) return;
  throw new NoodleError('BAD_INPUT', {
    subject: 'clip_vision_output',
    expected: `embeddings of width ${width}, which this model was trained on`,
    got: `[${shape.join(', ')}]`,
  });
}

/** The noise of a batch in training. Draws follow ai-toolkit and sd-scripts, call for call. */
import { createHash } from 'node:crypto';
import { map, zip } from '../array/elementwise.ts';
import { type NDArray, sizeOf } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import { TorchGenerator } from '../sampling/noise/torch-generator.ts';

/** ai-toolkit's settings of the same names. */
export interface NoiseSettings {
  /** Standard deviation of a shift of each channel of each picture. */
  readonly noiseOffset?: number;
  /** Adds half of each channel's mean in the latents. */
  readonly dynamicNoiseOffset?: boolean;
  readonly noiseMultiplier?: number;
  /** Standard deviation of the logarithm of a factor of each channel. */
  readonly randomNoiseMultiplier?: number;
  readonly randomNoiseShift?: number;
  /** Every picture has its own noise, at every step the same. */
  readonly forceConsistentNoise?: boolean;
  /** How many noises are drawn for each picture, the nearest of which is taken. */
  readonly optimalNoisePairingSamples?: number;
}

/** Where a picture of the batch comes from. */
export interface NoisePicture {
  readonly path: string;
  readonly flipX?: boolean;
  readonly flipY?: boolean;
}

export interface NoiseBatch {
  /** [b, c, ..., h, w]. */
  readonly latents: NDArray;
  /** One of each sample; needed for consistent noise. */
  readonly pictures?: readonly NoisePicture[];
  /** Of a regularisation set: `dynamicNoiseOffset` does not count. */
  readonly isReg?: boolean;
}

/**
 * Noise for the latents, of their shape, in this order of draws: noise, offset, shift, multiplier.
 * Throws BAD_INPUT when consistent noise is asked for and the pictures are not named.
 */
export function trainingNoise(
  batch: NoiseBatch,
  settings: NoiseSettings,
  generator: TorchGenerator,
): NDArray {
  const { latents, isReg = false } = batch;
  const { noiseMultiplier = 1, randomNoiseShift = 0, randomNoiseMultiplier = 0 } = settings;
  let noise = drawn(batch, settings, generator);
  if (settings.dynamicNoiseOffset && !isReg) {
    const half = map(planeMeans(latents), (mean) => mean / 2);
    noise = onPlanes(noise, half, (value, mean) => value + mean);
  }
  if (noiseMultiplier !== 1) noise = map(noise, (value) => value * noiseMultiplier);
  if (randomNoiseShift > 0) {
    const shift = drawPlanes(noise, generator, (n) => n * randomNoiseShift);
    noise = onPlanes(noise, shift, (value, by) => value + by);
  }
  if (randomNoiseMultiplier > 0) {
    const factor = drawPlanes(noise, generator, (n) =>
      Math.exp(Math.fround(n * randomNoiseMultiplier)),
    );
    noise = onPlanes(noise, factor, (value, by) => value * by);
  }
  return noise;
}

function drawn(batch: NoiseBatch, settings: NoiseSettings, generator: TorchGenerator): NDArray {
  const { latents, pictures } = batch;
  const { optimalNoisePairingSamples = 1, forceConsistentNoise = false } = settings;
  if (optimalNoisePairingSamples > 1) {
    return nearestNoise(latents, optimalNoisePairingSamples, generator);
  }
  if (forceConsistentNoise) {
    const count = latents.shape[0];
    if (pictures?.length !== count) {
      const got = pictures?.length ?? 'none';
      throw new NoodleError('BAD_INPUT', {
        subject: 'pictures of consistent noise',
        expected: count,
        got,
      });
    }
    return bySample(latents, (i, shape) =>
      new TorchGenerator(consistentSeed(pictures[i])).randn(shape),
    );
  }
  return offsetNoise(generator.randn(latents.shape), settings.noiseOffset ?? 0, generator);
}

/** noise + offset·n with a normal n for each channel of each sample; 0 draws nothing. */
function offsetNoise(noise: NDArray, offset: number, generator: TorchGenerator): NDArray {
  if (offset === 0) return noise;
  const shift = drawPlanes(noise, generator, (n) => n * offset);
  return onPlanes(noise, shift, (value, by) => value + by);
}

/**
 * sd-scripts' offset: by `offset` and `adaptiveScale` times the size of each channel's mean in the latents,
 * at least 0. The noise is drawn before.
 */
export function adaptiveOffsetNoise(
  noise: NDArray,
  latents: NDArray,
  { offset, adaptiveScale }: { readonly offset: number; readonly adaptiveScale: number },
  generator: TorchGenerator,
): NDArray {
  const normals = generator.randn([...noise.shape.slice(0, -2), 1, 1]);
  const strengths = map(planeMeans(latents), (mean) =>
    Math.max(offset + adaptiveScale * Math.abs(mean), 0),
  );
  const shift = zip(strengths, normals, (strength, n) => strength * n);
  return onPlanes(noise, shift, (value, by) => value + by);
}

/** For each sample the noise with the least mean square distance from it (the first of equals). */
function nearestNoise(latents: NDArray, count: number, generator: TorchGenerator): NDArray {
  const size = sizeOf(latents.shape.slice(1));
  return bySample(latents, (i, shape) => {
    const sample = latents.data.subarray(i * size, (i + 1) * size);
    const noises = Array.from({ length: count }, () => generator.randn(shape));
    const distances = noises.map(({ data }) =>
      data.reduce((sum, value, at) => sum + (value - sample[at]) ** 2, 0),
    );
    return noises[distances.indexOf(Math.min(...distances))];
  });
}

/** The seed of a picture's own noise: the low 32 bits of MD5 over its path and how it is mirrored. */
export function consistentSeed({ path, flipX = false, flipY = false }: NoisePicture): number {
  const text = path + (flipX ? '_fx' : '') + (flipY ? '_fy' : '');
  return createHash('md5').update(text).digest().readUInt32BE(12);
}

/** An array of the shape of x, sample by sample. */
function bySample(x: NDArray, one: (i: number, shape: readonly number[]) => NDArray): NDArray {
  const [count, ...rest] = x.shape;
  const data = new Float32Array(x.data.length);
  for (let i = 0; i < count; i++) data.set(one(i, [1, ...rest]).data, i * sizeOf(rest));
  return { data, shape: x.shape };
}

/** A number for each plane [.., h, w] of x, from a normal: [.., 1, 1]. */
const drawPlanes = (x: NDArray, generator: TorchGenerator, f: (n: number) => number): NDArray =>
  map(generator.randn([...x.shape.slice(0, -2), 1, 1]), f);

/** f of every value and the number of its plane. */
function onPlanes(x: NDArray, numbers: NDArray, f: (value: number, n: number) => number): NDArray {
  const size = x.data.length / numbers.data.length;
  return {
    data: x.data.map((value, i) => f(value, numbers.data[Math.floor(i / size)])),
    shape: x.shape,
  };
}

/** The mean of each plane [.., h, w]: [.., 1, 1]. */
function planeMeans({ data, shape }: NDArray): NDArray {
  const planes = shape.slice(0, -2);
  const size = sizeOf(shape.slice(-2));
  const means = Float32Array.from({ length: sizeOf(planes) }, (_, plane) => {
    let sum = 0;
    for (let i = plane * size; i < (plane + 1) * size; i++) sum += data[i];
    return sum / size;
  });
  return { data: means, shape: [...planes, 1, 1] };
}

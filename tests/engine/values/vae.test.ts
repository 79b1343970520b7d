import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type NDArray, nd } from '../../../engine/array/nd.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { pixelSpaceVae } from '../../../engine/values/autoencoders.ts';
import { loadVae } from '../../../engine/values/load-checkpoint.ts';
import {
  type AutoencoderKind,
  type Vae,
  decode,
  decodeTiled,
  encode,
  encodeTiled,
} from '../../../engine/values/vae.ts';

const checkpoint = join(import.meta.dirname, '../../../models/checkpoints/tiny-scenes.safetensors');

const wave = (shape: readonly number[]): NDArray => {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return nd(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 0.37)),
    shape,
  );
};

test('a decode that does not fit the memory budget is done in tiles', async () => {
  const vae = await loadVae(checkpoint);
  const latents = wave([1, 4, 3, 5]);
  const large = createRuntime({ threads: 1 });
  const log: string[] = [];
  const small = createRuntime({
    threads: 1,
    memoryBudget: 1 << 20,
    log: (level, text) => void (level === 'INFO' && log.push(text)),
  });
  const plain = await decode(vae, latents, { runtime: large });
  const tiled = await decodeTiled(vae, latents, { tile: 512, overlap: 128 }, { runtime: large });
  const squeezed = await decode(vae, latents, { runtime: small });
  expect(squeezed.data).toEqual(tiled.data);
  expect(squeezed.shape).toEqual(plain.shape);
  expect(log.filter((text) => text.startsWith('VAE decoding in tiles: '))).toHaveLength(1);
  expect(log[0]).toContain('MiB are needed at once');
  await Promise.all([large.unloadAll(), small.unloadAll()]);
});

test('batches are cut to what fits and joined in order', async () => {
  const sizes: number[] = [];
  const vae: Vae = {
    ...pixelSpaceVae,
    kind: {
      ...pixelSpaceVae.kind,
      decode: async (_, latents) => {
        sizes.push(latents.shape[0]);
        return latents;
      },
      bytes: () => 400,
    },
  };
  const runtime = createRuntime({ memoryBudget: 1000 });
  const latents = wave([5, 3, 2, 2]);
  const pictures = await decode(vae, latents, { runtime });
  expect(sizes).toEqual([2, 2, 1]);
  // [b, c, y, x] = 4, 2, 1, 0 lands at [b, y, x, c], mapped to 0..1
  expect(pictures.data[4 * 12 + 2 * 3 + 2]).toBeCloseTo((latents.data[4 * 12 + 2 * 4 + 2] + 1) / 2);
});

test('pictures lose their alpha and the margin beyond multiples of 8', async () => {
  const runtime = createRuntime();
  const sized: Vae = { ...pixelSpaceVae, factor: { space: 8 } };
  expect((await encode(sized, wave([1, 19, 17, 4]), { runtime })).shape).toEqual([1, 3, 16, 16]);
  await expect(encode(sized, wave([1, 7, 17, 3]), { runtime })).rejects.toThrow(
    'expected at least 8 x 8 pixels, got 17 x 7',
  );
  await expect(encode(sized, wave([1, 2, 8, 8, 3]), { runtime })).rejects.toThrow(
    'expected pictures [batch, height, width, channels]',
  );
});

test('latents of another model are refused', async () => {
  const vae = await loadVae(checkpoint);
  const runtime = createRuntime();
  await expect(decode(vae, wave([1, 16, 4, 4]), { runtime })).rejects.toThrow(
    'expected [batch, 4, height, width], got [1, 16, 4, 4]',
  );
});

test('where latents have a time axis, pictures are the frames of a video', async () => {
  const runtime = createRuntime();
  const shapes: (readonly number[])[] = [];
  const keep: AutoencoderKind['decode'] = async (_, x) => {
    shapes.push(x.shape);
    return x;
  };
  const kind = { ...pixelSpaceVae.kind, encode: keep, decode: keep };
  const video: Vae = { ...pixelSpaceVae, kind, factor: { space: 1, time: 1 } };
  const frames = nd(
    Float32Array.from({ length: 5 * 2 * 3 * 3 }, (_, i) => i / 90),
    [5, 2, 3, 3],
  );
  const latents = await encode(video, frames, { runtime });
  expect(latents.shape).toEqual([1, 3, 5, 2, 3]);
  // frame 4, pixel (1, 2), green
  expect(latents.data[(1 * 5 + 4) * 6 + 5]).toBeCloseTo(frames.data[(4 * 6 + 5) * 3 + 1] * 2 - 1);
  const back = await decode(video, latents, { runtime });
  expect(back.shape).toEqual(frames.shape);
  back.data.forEach((value, i) => expect(value).toBeCloseTo(frames.data[i]));
  await expect(decode(video, wave([1, 3, 2, 2]), { runtime })).rejects.toThrow(
    'expected [batch, 3, frames, height, width], got [1, 3, 2, 2]',
  );
});

test('tiles of a video have all its frames', async () => {
  const runtime = createRuntime();
  const sizes: number[] = [];
  const keep: AutoencoderKind['decode'] = async (_, x) => {
    sizes.push(x.shape[3] * x.shape[4]);
    return x;
  };
  const kind = { ...pixelSpaceVae.kind, encode: keep, decode: keep };
  const video: Vae = { ...pixelSpaceVae, kind, factor: { space: 1, time: 1 } };
  const frames = wave([3, 9, 7, 3]);
  const whole = await encode(video, frames, { runtime });
  sizes.length = 0;
  const tiled = await encodeTiled(video, frames, { tile: 4, overlap: 1 }, { runtime });
  expect(Math.max(...sizes)).toBe(16);
  expect(tiled.shape).toEqual(whole.shape);
  tiled.data.forEach((value, i) => expect(value).toBeCloseTo(whole.data[i]));
  const back = await decodeTiled(video, tiled, { tile: 4, overlap: 1 }, { runtime });
  expect(back.shape).toEqual(frames.shape);
  const plain = await decode(video, whole, { runtime });
  back.data.forEach((value, i) => expect(value).toBeCloseTo(plain.data[i]));
});

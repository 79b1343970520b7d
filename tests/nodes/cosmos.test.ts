/** CosmosPredict2ImageToVideoLatent. Oracle: ComfyUI 0.3.64 with an autoencoder that only picks pixels. */
import { expect, test } from 'vitest';
import { nd } from '../../engine/array/nd.ts';
import type { Latent } from '../../engine/values/media.ts';
import type { Vae } from '../../engine/values/vae.ts';
import { cosmosPredict2ImageToVideoLatent as node } from '../../nodes/cosmos.ts';
import { contextWith, runNode } from '../golden/pictures/run-node.ts';
import { assertLikeReference } from '../support/object-info.ts';

/** Latents are the first pixel of every cell in the first of four frames, its colours in turn. */
const picking: Vae = {
  kind: {
    detect: () => undefined,
    bytes: () => 1,
    encode: (_, { data, shape: [, , frames, height, width] }) => {
      const [times, rows, columns] = [Math.floor((frames - 1) / 4) + 1, height / 8, width / 8];
      const out = Float32Array.from({ length: 16 * times * rows * columns }, (_, i) => {
        const column = i % columns;
        const row = Math.floor(i / columns) % rows;
        const time = Math.floor(i / (columns * rows)) % times;
        const channel = Math.floor(i / (columns * rows * times)) % 3;
        return data[((channel * frames + 4 * time) * height + 8 * row) * width + 8 * column];
      });
      return Promise.resolve(nd(out, [1, 16, times, rows, columns]));
    },
    decode: (_, latents) => Promise.resolve(latents),
  },
  config: undefined,
  latentChannels: 16,
  factor: { space: 8, time: 4 },
  source: { label: 'picking', identity: 'picking', tensors: new Map() },
  patches: [],
};

const pictures = (count: number, seed: number) => {
  const shape = [count, 16, 32, 3];
  const data = Float32Array.from(
    { length: count * 16 * 32 * 3 },
    (_, i) => ((i * 37 + seed * 11) % 101) / 101,
  );
  return count > 0 ? nd(data, shape) : undefined;
};

type Row = [
  /** Width, height, length and batch. */
  sizes: readonly [number, number, number, number],
  start: number,
  end: number,
  shape: readonly number[],
  /** Of the samples, weighted by their places. */
  total: number,
  /** 1 for frames that are to be made. */
  made: readonly number[] | undefined,
];

test.each<Row>([
  [[32, 16, 1, 2], 1, 0, [2, 16, 1, 2, 4], 3.0693, [0]],
  [[32, 16, 13, 1], 3, 1, [1, 16, 4, 2, 4], -29.33326, [0, 1, 1, 0]],
  [[32, 16, 1, 1], 1, 1, [1, 16, 1, 2, 4], 19.55446, [0]],
  [[32, 16, 29, 1], 12, 9, [1, 16, 8, 2, 4], -48.39492, [0, 0, 1, 1, 1, 1, 0, 0]],
  [[32, 16, 5, 2], 0, 0, [1, 16, 2, 2, 4], 0, undefined],
  [[48, 32, 9, 1], 0, 1, [1, 16, 3, 4, 6], -153.74875, [1, 1, 0]],
])('%o with %i and %i pictures', async (sizes, start, end, shape, total, made) => {
  const [width, height, length, batch_size] = sizes;
  const inputs = {
    vae: picking,
    width,
    height,
    length,
    batch_size,
    start_image: pictures(start, 1),
    end_image: pictures(end, 2),
  };
  const [latent] = (await runNode(node, inputs, contextWith())) as [Latent];
  const { samples, noise_mask: mask } = latent;
  expect(samples.shape).toEqual(shape);
  const sum = samples.data.reduce((sum, value, i) => sum + value * ((i % 7) + 1), 0);
  expect(Math.abs(sum - total)).toBeLessThan(1e-3);
  expect(mask?.shape).toEqual(made && [batch_size, 1, ...shape.slice(2)]);
  const cells = (height / 8) * (width / 8);
  if (mask && made) expect(made.map((_, t) => mask.data[t * cells])).toEqual(made);
});

test('prints like the reference', () => assertLikeReference(node));

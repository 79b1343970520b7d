import { describe, expect, test } from 'vitest';
import { type NDArray, nd } from '../../engine/array/nd.ts';
import { NoodleError } from '../../engine/errors.ts';
import { workingMemory } from '../../engine/runtime/memory.ts';
import type { OpenModel } from '../../engine/runtime/runtime.ts';
import type { Program } from '../../engine/tensor/trace.ts';
import { upsampleNearest } from '../../engine/tensor/nn.ts';
import { type UpscaleModel, openUpscaleModel } from '../../engine/values/upscale-model.ts';
import { memorySource } from '../../engine/weights/source.ts';
import { imageUpscaleWithModel, upscaleNodes } from '../../nodes/upscale.ts';
import { contextWith, runNode } from '../golden/pictures/run-node.ts';
import { assertLikeReference } from '../support/object-info.ts';

test.each(upscaleNodes.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => {
    assertLikeReference(node);
  },
);

/** Repeats every pixel. */
const doubling: UpscaleModel = {
  kind: {
    name: 'Doubling',
    detect: () => undefined,
    build: (_, picture) => upsampleNearest(picture, { scale: 2 }),
  },
  config: {},
  scale: 2,
  inputChannels: 3,
  outputChannels: 3,
  multipleOf: 4,
  source: memorySource('nothing', 'nothing', []),
  patches: [],
};

/** A machine on which a call with a side of more than `limit` pixels runs out of memory. */
function machine(memoryBudget: number, limit = Infinity) {
  const calls: string[] = [];
  const run: OpenModel['run'] = ({ x }) => {
    const { data, shape } = x as NDArray;
    const [, c, h, w] = shape;
    calls.push(`${w}x${h}`);
    if (Math.max(h, w) > limit) {
      return Promise.reject(
        new NoodleError('OUT_OF_MEMORY', { model: 'Doubling', reason: 'full' }),
      );
    }
    const out = nd(new Float32Array(data.length * 4), [1, c, h * 2, w * 2]);
    for (let i = 0; i < out.data.length; i++) {
      const [px, py] = [i % (w * 2), Math.floor(i / (w * 2))];
      out.data[i] = data[Math.floor(py / 2) * w + Math.floor(px / 2)];
    }
    return Promise.resolve({ out });
  };
  const stats = () => ({ memoryBudget, bytes: 0, sessions: [] });
  const working = (program: Program) => workingMemory(program);
  const runtime = { session: () => Promise.resolve({ run }), stats, working };
  const progress: string[] = [];
  const context = {
    ...contextWith(),
    services: { runtime },
    progress: (done: number, total: number) => progress.push(`${done}/${total}`),
  };
  const picture = (batch: number, height: number, width: number) => {
    const data = Float32Array.from({ length: batch * height * width * 3 }, (_, i) => (i % 97) / 96);
    return nd(data, [batch, height, width, 3]);
  };
  const upscale = async (image: NDArray) =>
    (await runNode(imageUpscaleWithModel, { upscale_model: doubling, image }, context))[0];
  return { calls, progress, picture, upscale: upscale as (image: NDArray) => Promise<NDArray> };
}

const plenty = 2 ** 34;

describe('ImageUpscaleWithModel', () => {
  test('pads for the model, cuts off what came of it, and keeps the order of pictures', async () => {
    const { picture, upscale, calls, progress } = machine(plenty);
    const image = picture(2, 5, 6);
    const out = await upscale(image);
    expect(out.shape).toEqual([2, 10, 12, 3]);
    expect(calls).toEqual(['8x8', '8x8']);
    expect(progress).toEqual(['1/2', '2/2']);
    const at = (x: NDArray, b: number, y: number, column: number, c: number) =>
      x.data[((b * x.shape[1] + y) * x.shape[2] + column) * 3 + c];
    for (const [b, y, x, c] of [
      [0, 0, 0, 0],
      [0, 9, 11, 2],
      [1, 4, 7, 1],
    ]) {
      expect(at(out, b, y, x, c)).toBeCloseTo(at(image, b, y >> 1, x >> 1, c), 6);
    }
  });

  test('large pictures go in tiles of 512 with an overlap of 32', async () => {
    const { picture, upscale, calls, progress } = machine(plenty);
    await upscale(picture(1, 40, 1000));
    expect(calls).toEqual(['512x40', '512x40', '40x40']);
    expect(progress.at(-1)).toBe('3/3');
  });

  test('tiles are halved before memory runs out', async () => {
    // a tile of 512 needs 512 * 512 * 3 * 4 bytes, and twice four times that behind
    const { picture, upscale, calls } = machine(20 * 2 ** 20);
    await upscale(picture(1, 600, 600));
    expect(calls[0]).toBe('256x256');
  });

  test('and when it runs out all the same, down to 128', async () => {
    const { picture, upscale, calls } = machine(plenty, 200);
    const image = picture(1, 300, 130);
    expect((await upscale(image)).shape).toEqual([1, 600, 260, 3]);
    expect(calls.slice(0, 3)).toEqual(['132x300', '132x256', '128x128']);
    await expect(machine(plenty, 100).upscale(image)).rejects.toThrow('ran out of memory');
  });

  test('pictures with other channels are refused', async () => {
    const image = nd(new Float32Array(4 * 4 * 4), [1, 4, 4, 4]);
    await expect(machine(plenty).upscale(image)).rejects.toThrow(
      'picture to upscale: expected 3 channels, which this Doubling model takes, got 4',
    );
  });
});

test.each([
  ['net.weight', 'it is no upscale model of a known architecture'],
  [
    'params.am_list.0.fc.0.weight',
    'it seems to be a model of the architecture MM-RealSR, which is not supported',
  ],
])('a file that holds something else is refused: %s', async (key, reason) => {
  const bytes = new Uint8Array(4);
  const file = memorySource('other.pth', 'other', [[key, { dtype: 'F32', shape: [1], bytes }]]);
  await expect(openUpscaleModel(file)).rejects.toThrow(
    `other.pth: could not detect the model type of this file: ${reason}`,
  );
});

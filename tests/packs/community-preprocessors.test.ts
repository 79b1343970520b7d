/**
 * Preprocessors of the community pack. The numbers were computed by ControlNet aux on OpenCV 5 and numpy: the sum
 * of bytes by place, and every fourth pixel of every fourth row.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { preprocessorNodes } from '../../custom_nodes/community/preprocessors.ts';
import { type NDArray, full, nd } from '../../engine/array/nd.ts';

interface Case {
  readonly size: readonly [h: number, w: number];
  readonly inputs: Record<string, unknown>;
  readonly shape: readonly number[];
  readonly sum: number;
  readonly first: string;
}

const reference = JSON.parse(
  readFileSync(new URL('../fixtures/community/preprocessors.json', import.meta.url), 'utf8'),
) as Record<string, Case>;

const context = { progress: () => undefined } as never;
const run = async (name: string, inputs: Record<string, unknown>): Promise<NDArray> => {
  const node = preprocessorNodes.find((each) => each.name === name)!;
  return ((await node.run(inputs, context)) as [NDArray])[0];
};

/** Waves, slopes and a disc. */
function scene(h: number, w: number): NDArray {
  const out = new Float32Array(h * w * 3);
  for (let y = 0, i = 0; y < h; y++) {
    for (let x = 0; x < w; x++, i += 3) {
      const inside = (x - w / 2) ** 2 + (y - h / 2) ** 2 < (h / 3) ** 2;
      const bytes = [
        Math.floor(128 + 100 * Math.sin(x / 7) * Math.cos(y / 9)),
        (x * 5 + y * 3) % 256,
        inside ? 220 : 40,
      ];
      bytes.forEach((v, k) => (out[i + k] = v / 255 + 1e-5));
    }
  }
  return nd(out, [1, h, w, 3]);
}

describe('preprocessors', () => {
  it.each(Object.entries(reference))('%s', async (name, { size, inputs, shape, sum, first }) => {
    const [title] = name.split(' ');
    const { detect_resolution: resolution, thr_a: threshold, ...values } = inputs;
    const given = { image: scene(...size), resolution, threshold, ...values };
    const ours = await run(title, given);
    expect(ours.shape).toEqual([1, ...shape]);
    const bytes = ours.data.map((v) => Math.round(v * 255));
    const theirs = Buffer.from(first, 'base64');
    const [height, width] = shape;
    const own: number[] = [];
    for (let y = 0; y < height; y += 4) {
      for (let x = 0; x < width; x += 4) own.push(bytes[(y * width + x) * 3]);
    }
    expect(own).toEqual([...theirs]);
    const total = bytes.reduce((all, v, i) => all + v * ((i % 97) + 1), 0);
    // Where OpenCV enlarges by area it cuts digits in between, and a few pixels cross the threshold.
    if (name === 'ScribblePreprocessor 128') expect(total / sum).toBeCloseTo(1, 2);
    else expect(total).toBe(sum);
  });

  it('takes defaults, transparency and batches', async () => {
    const clear = full([2, 8, 8, 4], 0);
    const white = await run('ScribblePreprocessor', { image: clear });
    expect(white.shape).toEqual([2, 512, 512, 3]);
    expect(white.data.every((v) => v === 1)).toBe(true);
    const small = run('TilePreprocessor', { image: full([1, 64, 64, 3], 0), pyrUp_iters: 10 });
    await expect(small).rejects.toThrow('pyrUp_iters');
  });

  it.each(['CannyEdgePreprocessor', 'ColorPreprocessor'])(
    'refuses a size that no memory holds: %s',
    async (name) => {
      await expect(
        run(name, { image: full([1, 1, 16_000, 3], 0), resolution: 512 }),
      ).rejects.toThrow(
        'resolution: expected a picture of at most 134217728 pixels in all, got 8192000 x 512',
      );
    },
  );

  it('marks what is inpainted', async () => {
    const inputs = {
      image: full([2, 2, 2, 3], 0.5),
      mask: nd(Float32Array.of(0, 1, 1, 0), [1, 2, 2]),
    };
    const marked = await run('InpaintPreprocessor', inputs);
    expect([...marked.data.slice(0, 6)]).toEqual([0.5, 0.5, 0.5, -1, -1, -1]);
    const black = await run('InpaintPreprocessor', { ...inputs, black_pixel_for_xinsir_cn: true });
    expect([...black.data.slice(12, 18)]).toEqual([0.5, 0.5, 0.5, 0, 0, 0]);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type ByteFilter,
  lanczosBytes,
  resampleBytes,
} from '../../../engine/array/resample-bytes.ts';
import { channelsFirst, channelsLast, swapAxes } from '../../../engine/array/layout.ts';
import { type NDArray, nd } from '../../../engine/array/nd.ts';
import {
  commonUpscale,
  interpolate,
  interpolateImage,
  upscaleImage,
} from '../../../engine/array/resize.ts';
import { resampleTaps } from '../../../engine/array/resample-taps.ts';
import { roundHalfEven } from '../../../engine/array/round.ts';

const picture = nd(
  Float32Array.from({ length: 20 }, (_, i) => ((i * 7) % 11) / 10),
  [1, 1, 4, 5],
);

// torch 2.13 (CPU): interpolate(picture, size=(3, 7), mode=...), rounded to 7 digits.
const torch = [
  [
    'nearest-exact',
    [
      0.0, 0.7, 0.7, 0.3, 1.0, 1.0, 0.6, 0.4, 0.0, 0.0, 0.7, 0.3, 0.3, 1.0, 0.6, 0.2, 0.2, 0.9, 0.5,
      0.5, 0.1,
    ],
  ],
  [
    'bilinear',
    [
      0.0333333, 0.4333334, 0.6190476, 0.3333333, 0.702381, 0.7571428, 0.6333333, 0.3, 0.3857143,
      0.4928571, 0.6, 0.3142857, 0.5, 0.9, 0.5666667, 0.3380953, 0.3666668, 0.8666667, 0.5809523,
      0.3738095, 0.2499999,
    ],
  ],
  [
    'area',
    [
      0.1, 0.45, 0.6, 0.4, 0.475, 0.625, 0.7, 0.3, 0.375, 0.525, 0.6, 0.4, 0.55, 0.9, 0.5, 0.3,
      0.45, 0.8, 0.6, 0.475, 0.55,
    ],
  ],
  [
    'bicubic',
    [
      -0.0313741, 0.4864207, 0.688661, 0.3252315, 0.7324654, 0.8226089, 0.606172, 0.2881925,
      0.3712828, 0.5279793, 0.6, 0.1371036, 0.4245352, 1.074463, 0.6077591, 0.2561452, 0.3170775,
      0.8747687, 0.6382272, 0.3311341, 0.2135794,
    ],
  ],
] as const;

function expectClose(got: NDArray, expected: readonly number[]): void {
  expect(got.data.length).toBe(expected.length);
  expected.forEach((value, i) => expect(got.data[i]).toBeCloseTo(value, 5));
}

describe('interpolate', () => {
  it.each(torch)('%s equals torch', (method, expected) => {
    expectClose(interpolate(picture, 3, 7, method), expected);
  });

  it.each(torch)('%s of a picture equals torch in every channel', (method, expected) => {
    const [, , h, w] = picture.shape;
    const rgb = new Float32Array(h * w * 3);
    for (let i = 0; i < h * w; i++) rgb.fill(picture.data[i], i * 3, i * 3 + 3);
    const got = channelsFirst(interpolateImage(nd(rgb, [1, h, w, 3]), 3, 7, method));
    expectClose(got, [...expected, ...expected, ...expected]);
  });

  it('keeps both of torch’s roundings of nearest-exact', () => {
    // torch 2.13: 2 -> 41 reads cell 0 in the middle, 2 -> 141 (its generic kernel) reads cell 1.
    expect(resampleTaps('nearest-exact', 2, 41, false).index[20]).toBe(0);
    expect(resampleTaps('nearest-exact', 2, 141, true).index[70]).toBe(1);
  });

  it('refuses sizes of zero', () => {
    expect(() => interpolate(picture, 0, 7, 'bilinear')).toThrow('expected a positive size');
  });
});

describe('commonUpscale', () => {
  it('crops the centre, margins rounded half to even', () => {
    const wide = nd(
      Float32Array.from({ length: 9 }, (_, i) => i),
      [1, 1, 1, 9],
    );
    expect([...commonUpscale(wide, 4, 1, 'nearest-exact', 'center').data]).toEqual([2, 3, 5, 6]);
    expect([0.5, 1.5, 2.5, -0.5].map(roundHalfEven)).toEqual([0, 2, 2, 0]);
  });

  it('scales frames of a video latent one by one', () => {
    const frames = nd(
      Float32Array.from({ length: 2 * 3 * 4 * 20 }, (_, i) => Math.sin(i)),
      [2, 3, 4, 4, 5],
    );
    const whole = commonUpscale(frames, 7, 3, 'bicubic', 'disabled');
    expect(whole.shape).toEqual([2, 3, 4, 3, 7]);
    const flat = interpolate(nd(frames.data, [2, 12, 4, 5]), 3, 7, 'bicubic');
    expect(whole.data).toEqual(flat.data);
  });

  it('takes lanczos on one channel, as 0.33 does, and refuses two', () => {
    expect(commonUpscale(picture, 3, 3, 'lanczos', 'disabled').shape).toEqual([1, 1, 3, 3]);
    const two = nd(new Float32Array(8), [1, 2, 2, 2]);
    expect(() => commonUpscale(two, 3, 3, 'lanczos', 'disabled')).toThrow('1, 3 or 4 channels');
  });
});

describe('bislerp', () => {
  it('turns a vector along the arc and keeps its length', () => {
    const turn = nd(Float32Array.from([1, 0, 0, 1]), [1, 2, 1, 2]); // (1, 0) then (0, 1)
    const out = commonUpscale(turn, 4, 1, 'bislerp', 'disabled').data;
    for (let i = 0; i < 4; i++) expect(Math.hypot(out[i], out[4 + i])).toBeCloseTo(1, 5);
    expect(Math.atan2(out[5], out[1])).toBeCloseTo(Math.PI / 8, 5);
  });
});

describe('lanczos', () => {
  const bytes = (channels: number): Uint8Array =>
    Uint8Array.from({ length: 20 * channels }, (_, i) => (i * 37) % 256);
  // Pillow 12.3: Image.frombytes(mode, (5, 4), bytes).resize((3, 2), LANCZOS).tobytes()
  it.each([
    [3, [72, 115, 132, 113, 94, 134, 151, 117, 95, 151, 132, 123, 131, 148, 118, 105, 129, 129]],
    [
      4,
      [
        109, 96, 125, 114, 77, 101, 132, 108, 71, 116, 131, 118, 114, 133, 135, 109, 131, 131, 143,
        153, 122, 109, 148, 156,
      ],
    ],
  ])('%d channels equal Pillow bit for bit', (channels, expected) => {
    const image = { data: bytes(channels), width: 5, height: 4, channels };
    expect([...lanczosBytes(image, 3, 2).data]).toEqual(expected);
  });

  // Σ byte·(i mod 97 + 1), computed by Pillow: filter, channels, width, height.
  const sums = JSON.parse(
    readFileSync(new URL('data/pillow-filters.json', import.meta.url), 'utf8'),
  ) as Record<string, number>;
  it.each(Object.entries(sums))('%s equals Pillow', (name, sum) => {
    const [filter, channels, width, height] = name.split(' ');
    const data = Uint8Array.from({ length: 63 * Number(channels) }, (_, i) =>
      Math.floor((((i * 37 + 11) % 101) * 255) / 100),
    );
    const image = { data, width: 9, height: 7, channels: Number(channels) };
    const out = resampleBytes(image, Number(width), Number(height), filter as ByteFilter);
    expect([...out.data].reduce((all, v, i) => all + v * ((i % 97) + 1), 0)).toBe(sum);
  });

  it('leaves RGBA alone when the size does not change', () => {
    const image = { data: bytes(4), width: 5, height: 4, channels: 4 };
    expect(lanczosBytes(image, 5, 4).data).toEqual(image.data);
  });

  it('cuts, not rounds, to 8 bits', () => {
    const half = nd(new Float32Array(4 * 3).fill(0.999), [1, 2, 2, 3]);
    const out = upscaleImage(half, 3, 3, 'lanczos', 'disabled');
    expect(out.data[0]).toBe(Math.fround(254 / 255));
  });
});

describe('layout', () => {
  it('moves channels there and back', () => {
    const x = nd(
      Float32Array.from({ length: 24 }, (_, i) => i),
      [1, 2, 3, 4],
    );
    expect([...channelsFirst(x).data.slice(0, 6)]).toEqual([0, 4, 8, 12, 16, 20]);
    expect(channelsLast(channelsFirst(x))).toEqual(x);
    expect(swapAxes(swapAxes(x, 1, 3), 3, 1)).toEqual(x);
  });
});

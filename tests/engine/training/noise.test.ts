import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { TorchGenerator } from '../../../engine/sampling/noise/torch-generator.ts';
import { consistentSeed, trainingNoise } from '../../../engine/training/noise.ts';

const shape = [2, 3, 4, 4];
const latents = { data: Float32Array.from({ length: 96 }, (_, i) => Math.sin(i)), shape };
const generator = (): TorchGenerator => new TorchGenerator(7);

it('draws the noise, then the shift, then the factor of each channel', () => {
  const settings = { noiseMultiplier: 2, randomNoiseShift: 0.5, randomNoiseMultiplier: 0.25 };
  const got = trainingNoise({ latents }, settings, generator());
  const draws = generator();
  const noise = draws.randn(shape).data;
  const shift = draws.randn([2, 3, 1, 1]).data;
  const factor = draws.randn([2, 3, 1, 1]).data;
  const expected = noise.map((value, i) => {
    const plane = Math.floor(i / 16);
    return (value * 2 + shift[plane] * 0.5) * Math.exp(factor[plane] * 0.25);
  });
  got.data.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
});

it('leaves a regularisation set without the dynamic offset', () => {
  const got = trainingNoise({ latents, isReg: true }, { dynamicNoiseOffset: true }, generator());
  expect(got).toEqual(generator().randn(shape));
});

it('takes the nearest of the noises drawn for a picture', () => {
  const got = trainingNoise({ latents }, { optimalNoisePairingSamples: 3 }, generator());
  const draws = generator();
  for (const sample of [0, 1]) {
    const place = [sample * 48, (sample + 1) * 48] as const;
    const x = latents.data.subarray(...place);
    const noises = [0, 1, 2].map(() => draws.randn([1, 3, 4, 4]).data);
    const distance = (noise: Float32Array): number =>
      noise.reduce((sum, value, i) => sum + (value - x[i]) ** 2, 0);
    const chosen = got.data.subarray(...place);
    expect(noises).toContainEqual(chosen);
    expect(distance(chosen)).toBe(Math.min(...noises.map(distance)));
  }
});

it('gives a picture the same noise at every step, and mirrored ones another', () => {
  const picture = { path: 'set/a.png' };
  const digest = createHash('md5').update('set/a.png').digest('hex');
  expect(consistentSeed(picture)).toBe(Number(BigInt(`0x${digest}`) & 0xffffffffn));
  const mirrored = { ...picture, flipX: true };
  const settings = { forceConsistentNoise: true };
  const batch = { latents, pictures: [picture, mirrored] };
  const got = trainingNoise(batch, settings, generator());
  const first = new TorchGenerator(consistentSeed(picture)).randn([1, 3, 4, 4]).data;
  expect(got.data.subarray(0, 48)).toEqual(first);
  expect(got.data.subarray(48)).not.toEqual(first);
  expect(() => trainingNoise({ latents }, settings, generator())).toThrow(
    'pictures of consistent noise: expected 2, got none',
  );
});

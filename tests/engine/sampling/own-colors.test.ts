import { expect, test } from 'vitest';
import { latentFormat } from '../../../engine/sampling/latent/formats.ts';
import { withOwnColors } from '../../../engine/sampling/latent/own-colors.ts';

const format = latentFormat('SD15');
const factors = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [0.5, 0.5, 0.5],
];
const text = JSON.stringify(factors);

test('a file with colours of its own is previewed in them', () => {
  const own = withOwnColors(format, {
    latent_rgb_factors: text,
    latent_rgb_factors_bias: '[0.1, 0.2, 0.3]',
  });
  expect(own).toEqual({ ...format, rgbFactors: factors, rgbBias: [0.1, 0.2, 0.3] });
  expect(withOwnColors(format, { latent_rgb_factors: text }).rgbBias).toEqual([0, 0, 0]);
});

test.each([
  ['nothing', {}],
  ['no JSON', { latent_rgb_factors: '[[1,' }],
  ['no list', { latent_rgb_factors: '{"length":4}' }],
  ['too few channels', { latent_rgb_factors: '[[1,2,3]]' }],
  ['a short colour', { latent_rgb_factors: text.replace('[1,0,0]', '[1,0]') }],
  ['text for a number', { latent_rgb_factors: text.replace('[1,0,0]', '[1,0,"0"]') }],
  ['a number too large for JSON', { latent_rgb_factors: text.replace('[1,0,0]', '[1e999,0,0]') }],
  ['a bias of two', { latent_rgb_factors: text, latent_rgb_factors_bias: '[0,0]' }],
  ['far too much', { latent_rgb_factors: `${text}${' '.repeat(30_000)}` }],
])("%s leaves the family's colours", (_, metadata) => {
  expect(withOwnColors(format, metadata)).toBe(format);
});

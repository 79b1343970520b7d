import { describe, expect, test } from 'vitest';
import { zeros } from '../../../engine/array/nd.ts';
import { placeReferences } from '../../../engine/values/reference-places.ts';

const latents = [zeros([1, 16, 8, 10]), zeros([1, 16, 6, 7])];

describe('places of reference pictures', () => {
  test.each([
    // the second is wider with the first than high, so it goes below
    [
      'offset',
      [
        [1, 0, 0],
        [1, 4, 0],
      ],
    ],
    [
      'index',
      [
        [1, 0, 0],
        [2, 0, 0],
      ],
    ],
    // behind a picture of 5 x 4 tokens along the diagonal
    [
      'uxo',
      [
        [0, 5, 4],
        [0, 9, 9],
      ],
    ],
  ] as const)('method %s', (method, places) => {
    expect(placeReferences(latents, [1, 16, 9, 8], method, { patch: 2, apart: 1 })).toEqual(places);
  });
});

import { expect, it } from 'vitest';
import { linspace } from '../../../engine/array/linspace.ts';
import { solveLinear } from '../../../engine/array/solve.ts';

// Oracle: torch 2.13 CPU, torch.linspace(math.log(14.614642), math.log(0.0291675), 7).
it('linspace agrees with torch to the bit', () => {
  expect(linspace(Math.log(14.614642), Math.log(0.0291675), 7)).toEqual([
    2.6820240020751953, 1.64590322971344, 0.6097824573516846, -0.4263378381729126,
    -1.462458610534668, -2.498579502105713, -3.5347001552581787,
  ]);
  expect(linspace(3, 5, 1)).toEqual([3]);
});

it('solveLinear swaps rows where the diagonal is 0', () => {
  expect(
    solveLinear(
      [
        [0, 2, 1],
        [1, 1, 0],
        [2, 0, 3],
      ],
      [7, 3, 11],
    ),
  ).toEqual([1, 2, 3]);
});

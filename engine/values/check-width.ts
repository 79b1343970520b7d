/** Whether numbers that conditioning brings are as wide as a network reads them. */
import type { NDArray } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';

/** Throws BAD_INPUT, with `subject`, when the last axis of x is not of this width. */
export function checkWidth(x: NDArray, expected: number, subject: string): void {
  const got = x.shape.at(-1);
  if (got !== expected) {
    throw new NoodleError('BAD_INPUT', {
      subject,
      expected: `width ${expected}`,
      got: `width ${got}; was it made by another model's text encoder?`,
    });
  }
}

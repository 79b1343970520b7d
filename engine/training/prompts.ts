/** The prompts of a call that trains, as rows below each other. */
import { concat, repeatToBatch } from '../array/batch.ts';
import { type NDArray, sameShape } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import type { CondTensor } from '../sampling/model.ts';

/**
 * What each prompt tells the network, each `times` times, by name. Throws BAD_INPUT for prompts whose encodings are of
 * different lengths: a network is asked about those in calls of their own.
 */
export function joinedPrompts(
  encoded: readonly Readonly<Record<string, CondTensor>>[],
  times = 1,
): Record<string, NDArray> {
  return Object.fromEntries(
    Object.keys(encoded[0]).map((name) => {
      const values = encoded.map((tensors) => tensors[name].value);
      const rest = values.map(({ shape }) => shape.slice(1));
      if (rest.some((shape) => !sameShape(shape, rest[0]))) {
        throw new NoodleError('BAD_INPUT', {
          subject: 'captions of a batch',
          expected: 'encodings of one length, or batch_size 1',
          got: values.map(({ shape }) => shape[1]),
        });
      }
      return [name, concat(values.map((value) => repeatToBatch(value, times)))];
    }),
  );
}

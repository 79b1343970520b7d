/** A short run of bench/fuzz.ts; the long one is `node --import ./bin/typescript.js bench/fuzz.ts`. */
import { expect, it } from 'vitest';
import { fuzz } from '../../bench/fuzz/run.ts';

it('answers hostile requests, stays up and does not grow', async () => {
  const { problems, byKind, accepted } = await fuzz({ seed: 20, count: 600 });
  expect(problems).toEqual([]);
  expect(Object.keys(byKind)).toHaveLength(7);
  expect(accepted).toBeGreaterThan(20);
}, 60_000);

import { expect, it } from 'vitest';
import { createBatch } from '../../../engine/worker/batch.ts';

it('sends what was put in one turn as one list, all promises between included', async () => {
  const sent: (readonly string[])[] = [];
  const batch = createBatch<string>((messages) => sent.push(messages));
  batch.put('a');
  await Promise.resolve();
  batch.put('b');
  expect(sent).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toEqual([['a', 'b']]);
  batch.put('c');
  batch.flush();
  expect(sent).toEqual([['a', 'b'], ['c']]);
  batch.flush();
  expect(sent).toHaveLength(2);
});

/** A short run of bench/kill-training.ts; the long one is `node --import ./bin/typescript.js bench/kill-training.ts`. */
import { expect, it } from 'vitest';
import { killTraining } from '../../bench/kill/training.ts';

it('comes to the same adapter, bit for bit, when a training run is killed', async () => {
  const report = await killTraining({ seed: 3, kills: 3, steps: 20 });
  expect(report.problems).toEqual([]);
}, 120_000);

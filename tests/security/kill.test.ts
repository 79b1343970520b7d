/** A short run of bench/kill.ts; the long one is `node --import ./bin/typescript.js bench/kill.ts`. */
import { expect, it } from 'vitest';
import { killAtRandom } from '../../bench/kill/run.ts';

it('loses no prompt and leaves no half of a file when processes are killed', async () => {
  const report = await killAtRandom({ seed: 4, kills: 6 });
  expect(report.problems).toEqual([]);
  expect(report.serverKills).toBeGreaterThan(0);
  expect(report.engineKills).toBeGreaterThan(0);
  expect(report.succeeded).toBeGreaterThan(10);
}, 90_000);

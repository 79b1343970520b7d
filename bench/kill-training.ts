/**
 * `kill -9` of a training run at random moments and in the middle of its writes, and Ctrl-C. Exits with 1 when the
 * adapter, its state or its losses are not bit for bit those of an undisturbed run (tests/training/killed.test.ts
 * runs a short version).
 *
 *     node --import ./bin/typescript.js bench/kill-training.ts [--seed N] [--kills N] [--steps N]
 */
import { parseArgs } from 'node:util';
import { killTraining } from './kill/training.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '30' },
    steps: { type: 'string', default: '60' },
  },
});
const { problems, ended, seconds } = await killTraining({
  seed: Number(values.seed),
  kills: Number(values.kills),
  steps: Number(values.steps),
  onProgress: (count, how, step) => console.log(`ended ${count} ${how}, at step ${step}`),
});

console.log(`ended in ${seconds.toFixed(0)} s:`, ended);
console.log(problems.length === 0 ? 'no problems' : `${problems.length} problems:`);
for (const problem of problems.slice(0, 30)) console.log(' -', problem);
process.exit(problems.length === 0 ? 0 : 1);

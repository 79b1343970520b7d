/**
 * `kill -9` of the server or of its engine at random moments under load. Exits with 1 when a prompt
 * was lost, an output is missing or damaged, or anything half-written is left
 * (tests/security/kill.test.ts runs a short version).
 *
 *     node --import ./bin/typescript.js bench/kill.ts [--seed N] [--kills N]
 */
import { parseArgs } from 'node:util';
import { killAtRandom } from './kill/run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '50' },
  },
});
const report = await killAtRandom({
  seed: Number(values.seed),
  kills: Number(values.kills),
  onProgress: (done, what) => {
    if (done % 10 === 0) console.log(`${done} ends, the last of the ${what}`);
  },
});

const { problems, accepted, unanswered, serverKills, engineKills, seconds } = report;
const { succeeded, failed, files } = report;
console.log(`${serverKills} servers and ${engineKills} engines ended in ${seconds.toFixed(0)} s`);
console.log(`${accepted} prompts were accepted (${unanswered} requests had no answer)`);
console.log(`${succeeded} succeeded; reported errors:`, failed);
console.log(`${files} files written`);
console.log(problems.length === 0 ? 'no problems' : `${problems.length} problems:`);
for (const problem of problems.slice(0, 30)) console.log(' -', problem);
process.exit(problems.length === 0 ? 0 : 1);

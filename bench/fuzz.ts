/**
 * Hostile requests against a real server: prompts, uploads, queries, paths, broken HTTP, websocket
 * frames, model files. Exits with 1 when one is answered wrongly (tests/security/fuzz.test.ts runs a
 * short version).
 *
 *     node --import ./bin/typescript.js bench/fuzz.ts [--seed N] [--count N] [--first N]
 */
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz/run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '10000' },
    first: { type: 'string', default: '0' },
  },
});
const [seed, count, first] = [values.seed, values.count, values.first].map(Number);
const report = await fuzz({
  seed,
  count,
  first,
  onProgress: (done, megabytes) => {
    if (done % 1000 === 0) console.log(`${done} requests, the server takes ${megabytes()} MB`);
  },
});

const { problems, byKind, byStatus, accepted, engineDeaths, memory, seconds } = report;
const perSecond = (count / seconds).toFixed(0);
console.log(`seed ${seed}: ${count} requests in ${seconds.toFixed(1)} s (${perSecond} a second)`);
console.log('kinds   ', byKind);
console.log('statuses', byStatus);
console.log(`${accepted} prompts were taken; ${engineDeaths.length} engines ended`);
for (const line of engineDeaths.slice(0, 10)) console.log('  ', line);
console.log(
  `memory of the server: ${memory.start} MB after warming up, ${memory.end} MB at the end`,
);
console.log(problems.length === 0 ? 'no problems' : `${problems.length} problems:`);
for (const problem of problems) console.log(' -', problem);
process.exit(problems.length === 0 ? 0 : 1);

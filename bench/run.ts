/**
 * `npm run bench [NAME...]`: all benchmarks of this folder one after the other, each in a fresh
 * process, so that none inherits another's memory. Figures are of this machine, now: compare ratios.
 */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { processorName } from '../engine/processor.ts';
import { TYPESCRIPT } from '../engine/threads.ts';

const BENCHES = ['server', 'queue', 'graph-overhead', 'sd15-unet'];

const wanted = process.argv.slice(2);
console.log(`Node ${process.version}, ${cpus().length} cores, ${processorName()}`);
let failed = 0;
for (const name of wanted.length > 0 ? wanted : BENCHES) {
  console.log(`\n== ${name}`);
  const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, ['--import', TYPESCRIPT, file], {
    stdio: 'inherit',
  });
  if (status !== 0) failed++;
}
process.exit(failed);

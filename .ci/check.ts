/**
 * `npm run check`: everything that has to hold. The checks that only read run one after another beside
 * the tests, which wait for servers and browsers half of their time; what they say comes below what the
 * tests say. All of them run to their end, and the command fails when any of them does.
 */
import { spawn } from 'node:child_process';

const READING = ['format:check', 'static', 'imports'];

interface Outcome {
  readonly script: string;
  readonly failed: boolean;
  readonly seconds: number;
  readonly output: string;
}

/** Runs a script of package.json; its output is kept, or goes straight to the terminal. */
function run(script: string, output: 'kept' | 'shown'): Promise<Outcome> {
  return new Promise((resolve) => {
    const begin = performance.now();
    const stdio = output === 'kept' ? 'pipe' : 'inherit';
    const child = spawn(`npm run --silent ${script}`, {
      shell: true,
      stdio: ['ignore', stdio, stdio],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    }
    child.on('close', (code) => {
      const seconds = (performance.now() - begin) / 1000;
      resolve({ script, failed: code !== 0, seconds, output: text });
    });
  });
}

async function runReading(): Promise<Outcome[]> {
  const outcomes = [];
  for (const script of READING) outcomes.push(await run(script, 'kept'));
  return outcomes;
}

const [tests, reading] = await Promise.all([run('test:run', 'shown'), runReading()]);
for (const { script, output } of reading) {
  if (output.trim() !== '') console.log(`\n--- ${script}\n${output.trimEnd()}`);
}
console.log();
for (const { script, failed, seconds } of [...reading, tests]) {
  const word = failed ? 'FAILED' : 'passed';
  console.log(`${script.padEnd(14)} ${word} in ${seconds.toFixed(0)} s`);
}
process.exitCode = [...reading, tests].some(({ failed }) => failed) ? 1 : 0;

/**
 * Side by side with the reference, on the same machine and in turns: opening, text, steps, decoding,
 * memory, as ratios (docs/performance.md).
 *
 *   npm run performance -- [--size 64] [--rounds 3] [--reference FOLDER] [--python python3] [--mode default|pytorch]
 *
 * The reference is looked for in --reference or NOODLE_REFERENCE; without it only our own figures are shown.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { TYPESCRIPT } from '../engine/threads.ts';
import { randomSd15 } from './make-sd15.ts';

interface Taken {
  /** Milliseconds. */
  readonly wall: number;
  /** Milliseconds of processor time of all threads. */
  readonly cpu: number;
  /** Most bytes that were resident so far. */
  readonly peak: number;
}

interface Side {
  readonly ask: (task: string) => Promise<Taken>;
  readonly end: () => void;
}

/** A process that answers each line with a line. */
function startSide(command: string, args: readonly string[], cwd?: string): Side {
  const child = spawn(command, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: AsyncIterator<string, undefined> = createInterface({ input: child.stdout })[
    Symbol.asyncIterator
  ]();
  return {
    ask: async (task) => {
      child.stdin.write(`${task}\n`);
      const { value } = await lines.next();
      if (value === undefined) throw new Error(`${command} ended during '${task}'`);
      return JSON.parse(value) as Taken;
    },
    end: () => void child.stdin.end(),
  };
}

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '3' },
    reference: { type: 'string', default: process.env.NOODLE_REFERENCE },
    python: { type: 'string', default: 'python3' },
    mode: { type: 'string', default: 'default' },
  },
});
const here = import.meta.dirname;
const checkpoint = await randomSd15();
const ours = startSide(process.execPath, [
  ...['--import', TYPESCRIPT, join(here, 'compare/ours.ts')],
  ...[checkpoint, values.size],
]);
const installed = values.reference !== undefined && existsSync(join(values.reference, 'comfy'));
if (!installed) console.log('The reference is not installed here: its figures are left out.');
const script = join(here, 'compare/reference.py');
const theirs = installed
  ? startSide(values.python, [script, checkpoint, values.size, values.mode], values.reference)
  : undefined;

/** What each side took for a task: the least of some rounds in turns. */
async function compare(label: string, task: string, rounds: number): Promise<void> {
  const took: Taken[][] = [[], []];
  for (let i = 0; i < rounds; i++) {
    took[0].push(await ours.ask(task));
    if (theirs) took[1].push(await theirs.ask(task));
  }
  const least = (of: readonly Taken[], what: 'wall' | 'cpu'): number =>
    Math.min(...of.map((taken) => taken[what]));
  const figures = (['wall', 'cpu'] as const).map((what) => {
    const [mine, other] = took.map((of) => least(of, what));
    const ratio = theirs ? ` / ${other.toFixed(0)} = ${(mine / other).toFixed(2)}` : '';
    return `${mine.toFixed(0)}${ratio}`;
  });
  console.log(`| ${[label, ...figures].join(' | ')} |`);
}

console.log(`SD1.5, latent ${values.size}, ${values.mode} attention; ours / reference = ratio`);
console.log('| | wall, ms | processor time, ms |\n|---|---|---|');
const rounds = Number(values.rounds);
await compare('checkpoint opened', 'open', 1);
await compare('first text', 'clip', 1);
await compare('text', 'clip', rounds);
await compare('first step', 'step', 1);
await compare('step', 'step', rounds);
await compare('first decode', 'decode', 1);
await compare('decode', 'decode', rounds);
const peaks = await Promise.all([ours, ...(theirs ? [theirs] : [])].map((s) => s.ask('open')));
const gigabytes = peaks.map(({ peak }) => `${(peak / 1e9).toFixed(2)} GB`).join(' / ');
console.log(`Peak memory: ${gigabytes}. Load of the machine: ${loadavg()[0].toFixed(1)}.`);
ours.end();
theirs?.end();

/**
 * Side by side with the reference, on the same machine and in turns: opening, text, steps, decoding,
 * memory, as ratios (docs/performance.md).
 *
 *   npm run performance -- [--model sd15|sdxl] [--size 64] [--rounds 3] [--apart]
 *                          [--reference FOLDER] [--python python3] [--mode default|pytorch]
 *                          [--tasks open,clip,emphasis,step,decode,lora,control]
 *
 * The reference is looked for in --reference or NOODLE_REFERENCE; without it only our own figures are shown.
 * --apart: one side after the other, where both at once do not fit in memory.
 */
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { TYPESCRIPT } from '../engine/threads.ts';
import { type Side, type Taken, startSide } from './compare/side.ts';
import { randomControlNet, randomLora } from './make-adapters.ts';
import { randomSd15, sd15UNet } from './make-sd15.ts';
import { randomSdxl, sdxlUNet } from './make-sdxl.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'sd15' },
    size: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '3' },
    apart: { type: 'boolean', default: false },
    reference: { type: 'string', default: process.env.NOODLE_REFERENCE },
    python: { type: 'string', default: 'python3' },
    mode: { type: 'string', default: 'default' },
    tasks: { type: 'string', default: 'open,clip,emphasis,step,decode,lora,control' },
  },
});
const models = {
  sd15: { title: 'SD1.5', checkpoint: randomSd15, unet: sd15UNet },
  sdxl: { title: 'SDXL', checkpoint: randomSdxl, unet: sdxlUNet },
};
if (!Object.hasOwn(models, values.model)) throw new Error(`no model ${values.model}`);
const { title, checkpoint, unet } = models[values.model as keyof typeof models];

const tasks = new Set(values.tasks.split(','));
const given = [
  ...[values.size, String(unet.context), unet.vector === undefined ? '0' : '1'],
  await checkpoint(),
  tasks.has('lora') ? await randomLora(values.model, unet) : '',
  tasks.has('control') ? await randomControlNet(values.model, unet) : '',
];
const here = import.meta.dirname;
const ours = (): Side =>
  startSide(process.execPath, ['--import', TYPESCRIPT, join(here, 'compare/ours.ts'), ...given]);
const installed = values.reference !== undefined && existsSync(join(values.reference, 'comfy'));
if (!installed) console.log('The reference is not installed here: its figures are left out.');
const script = join(here, 'compare/reference.py');
const theirs = (): Side =>
  startSide(values.python, [script, values.mode, ...given], { cwd: values.reference });

const rounds = Number(values.rounds);
/** What is asked of each side, in this order, and how often. Texts and strengths of a LoRA differ each time. */
const rows = (
  [
    ['checkpoint opened', 'open', 1],
    ['first text', 'clip', 1],
    ['text', 'clip', rounds],
    ['first text with emphasis', 'emphasis', 1],
    ['text with emphasis', 'emphasis', rounds],
    ['first step', 'step', 1],
    ['step', 'step', rounds],
    ['first decode', 'decode', 1],
    ['decode', 'decode', rounds],
    ['first step with a LoRA', 'lora', 1],
    ['step with a LoRA, another strength', 'lora', rounds],
    ['first step with a ControlNet', 'control', 1],
    ['step with a ControlNet', 'control', rounds],
  ] as const
).filter(([, task]) => tasks.has(task));

/** What each row took on each of these sides, round by round in turns. */
async function measure(sides: readonly Side[]): Promise<Taken[][][]> {
  const took: Taken[][][] = sides.map(() => []);
  for (const [row, [label, task, times]] of rows.entries()) {
    console.error(label);
    for (let i = 0; i < times; i++) {
      for (const [at, side] of sides.entries()) {
        (took[at][row] ??= []).push(await side.ask(`${task} ${0.5 + row / 10 + i / 100}`));
      }
    }
  }
  for (const side of sides) await side.end();
  return took;
}

type Figure = 'wall' | 'cpu' | 'peak';
const least = (of: readonly Taken[], what: Figure): number =>
  Math.min(...of.map((taken) => taken[what]));
const figure = (both: readonly (readonly Taken[])[], what: Figure, unit: number): string => {
  const [mine, other] = both.map((of) => least(of, what) / unit);
  const digits = unit === 1 ? 0 : 2;
  if (other === undefined) return mine.toFixed(digits);
  return `${mine.toFixed(digits)} / ${other.toFixed(digits)} = ${(mine / other).toFixed(2)}`;
};

const starts = installed ? [ours, theirs] : [ours];
const took: Taken[][][] = [];
if (values.apart) for (const start of starts) took.push(...(await measure([start()])));
else took.push(...(await measure(starts.map((start) => start()))));

console.log(
  `${title}, latent ${values.size}, ${values.mode} attention; ours / reference = ratio; least of the rounds`,
);
console.log('| | wall, ms | processor time, ms | most memory so far, GB |\n|---|---|---|---|');
for (const [row, [label]] of rows.entries()) {
  const both = took.map((side) => side[row]);
  const figures = [figure(both, 'wall', 1), figure(both, 'cpu', 1), figure(both, 'peak', 1e9)];
  console.log(`| ${[label, ...figures].join(' | ')} |`);
}
console.log(`Load of the machine: ${loadavg()[0].toFixed(1)}.`);

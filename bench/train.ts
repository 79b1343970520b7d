/**
 * Training of a LoRA on a network of full size with random weights: seconds a step and the most memory.
 *
 *   node --import ./bin/typescript.js bench/train.ts [--model sd15|sdxl] [--size 512] [--rank 16] [--steps 3]
 *                                                     [--keep] [--only ours|reference]
 *                                                     [--reference FOLDER] [--python python3]
 *
 * A pair of up and down for every linear layer and convolution, as the training node makes them; one picture a
 * step, AdamW, fp32, what blocks computed is computed anew in the backward pass (--keep: kept instead). The
 * reference is looked for in --reference or NOODLE_REFERENCE.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { families } from '../engine/arch/families/index.ts';
import { createRuntime } from '../engine/runtime/runtime.ts';
import { TorchGenerator } from '../engine/sampling/noise/torch-generator.ts';
import { TYPESCRIPT } from '../engine/threads.ts';
import { trainLora } from '../engine/training/train-lora.ts';
import { loadCheckpoint } from '../engine/values/load-checkpoint.ts';
import { randomSd15, sd15UNet } from './make-sd15.ts';
import { randomSdxl, sdxlUNet } from './make-sdxl.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'sd15' },
    size: { type: 'string', default: '512' },
    rank: { type: 'string', default: '16' },
    steps: { type: 'string', default: '3' },
    /** One side alone: `ours` or `reference`. */
    only: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
    reference: { type: 'string', default: process.env.NOODLE_REFERENCE },
    python: { type: 'string', default: 'python3' },
    /** The checkpoint to train on: what the process of our side is started with. */
    run: { type: 'string' },
  },
});
const models = {
  sd15: { checkpoint: randomSd15, unet: sd15UNet },
  sdxl: { checkpoint: randomSdxl, unet: sdxlUNet },
};
if (!Object.hasOwn(models, values.model)) throw new Error(`no model ${values.model}`);
const { checkpoint, unet } = models[values.model as keyof typeof models];
const { size, rank, steps, reference, python } = values;
const title = `${values.model} at ${size} x ${size}, rank ${rank}`;

/** Trains here, and tells. */
async function run(path: string): Promise<void> {
  const { model } = await loadCheckpoint(path, families);
  const runtime = createRuntime();
  const random = new TorchGenerator(0);
  const cells = Number(size) / 8;
  const latents = random.randn([2, 4, cells, cells]);
  const positive = [{ cross: random.randn([1, 77, unet.context]) }];
  const [marks, used] = [[performance.now() / 1000], [processorSeconds()]];
  const { tensors, losses } = await trainLora(
    model,
    { latents: [latents], positive },
    {
      batchSize: 1,
      accumulation: 1,
      steps: Number(steps),
      rate: 1e-4,
      rank: Number(rank),
      optimizer: 'adamw',
      loss: 'MSE',
      seed: 0,
      algorithm: 'LoRA',
      recompute: !values.keep,
    },
    {
      runtime,
      heard: () => {
        marks.push(performance.now() / 1000);
        used.push(processorSeconds());
      },
    },
  );
  const trained = [...tensors.values()].reduce((n, { data }) => n + data.length, 0) / 1e6;
  const peak = process.resourceUsage().maxRSS / 2 ** 20;
  console.log(
    `  ${trained.toFixed(1)} M numbers trained; losses ${losses.map((loss) => loss.toFixed(4)).join(', ')}`,
  );
  console.log(
    `  seconds a step, the first with the start: ${between(marks)}; of the processor: ${between(used)}`,
  );
  console.log(`  peak RSS ${peak.toFixed(2)} GB`);
  await runtime.unloadAll();
}

/** What this process has used of all cores. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const between = (times: readonly number[]): string =>
  times
    .slice(1)
    .map((time, i) => (time - times[i]).toFixed(1))
    .join(', ');

/** Runs a side in a process of its own. */
function side(command: string, given: readonly string[], options: { cwd?: string } = {}): void {
  const { status } = spawnSync(command, given, { ...options, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}

if (values.run === undefined) {
  const path = await checkpoint();
  console.log(title);
  const program = ['--import', TYPESCRIPT, import.meta.filename, ...process.argv.slice(2)];
  if (values.only !== 'reference') side(process.execPath, [...program, '--run', path], {});
  if (values.only !== 'ours') {
    console.log(`${title}, the reference`);
    if (reference === undefined || !existsSync(join(reference, 'comfy'))) {
      console.log('  It is not installed here: its figures are left out.');
    } else {
      const script = join(import.meta.dirname, 'compare/train.py');
      const given = [path, size, rank, steps, String(unet.context), values.keep ? '0' : '1'];
      side(python, [script, ...given], { cwd: reference });
    }
  }
} else {
  await run(values.run);
}

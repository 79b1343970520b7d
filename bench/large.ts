/**
 * A model larger than the memory that it may take: a random Flux of some billion weights in 8 bits, and the
 * same in ggml's Q4_K, some steps each in a process of its own.
 *
 *   node --import ./bin/typescript.js bench/large.ts FOLDER [--billions 8] [--budget 4] [--size 512] [--steps 2]
 *                                                     [--only NAME] [--reference FOLDER] [--python python3]
 *
 * Writes its files into FOLDER (8 and 4.5 GB) where they are not there yet. Told are the highest memory of the
 * process, what stays in memory from step to step and what is read anew, and seconds a step. Where the reference is
 * installed (--reference or NOODLE_REFERENCE), its own beside those of the file in 8 bits; it reads no GGUF.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { zeros } from '../engine/array/nd.ts';
import { families } from '../engine/arch/families/index.ts';
import { createRuntime } from '../engine/runtime/runtime.ts';
import { sampleLatent } from '../engine/sampling/driver.ts';
import { loadDiffusionModel } from '../engine/values/load-checkpoint.ts';
import { diffusion } from '../engine/values/model.ts';
import { blockTypes } from '../engine/weights/blocks.ts';
import { writeAll } from '../engine/weights/write-bytes.ts';
import { type TensorToWrite, floatTensor, writeSafetensors } from '../engine/weights/write.ts';
import { ggufHead, padded, randomBlocks } from '../tests/support/gguf.ts';
import { type Put, type Shapes, layer, scoped, within } from './random-checkpoint.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    billions: { type: 'string', default: '8' },
    budget: { type: 'string', default: '4' },
    size: { type: 'string', default: '512' },
    steps: { type: 'string', default: '2' },
    /** One of the two files alone: `fp8` or `q4_k`. */
    only: { type: 'string', default: '' },
    reference: { type: 'string', default: process.env.NOODLE_REFERENCE },
    python: { type: 'string', default: 'python3' },
    /** The file to run: what the processes are started with. */
    run: { type: 'string' },
  },
});
const gb = 2 ** 30;

/** Flux.1's layers at its own width, as many of each kind as make so many weights. */
function shapes(billions: number): Shapes {
  const width = 3072;
  const all: Shapes = new Map();
  const put = scoped(all, '');
  const numbers = (name: string, inner: number): void => {
    layer(put, `${name}.in_layer`, width, inner);
    layer(put, `${name}.out_layer`, width, width);
  };
  layer(put, 'img_in', width, 64);
  layer(put, 'txt_in', width, 4096);
  numbers('time_in', 256);
  numbers('guidance_in', 256);
  numbers('vector_in', 768);
  // half of the weights in blocks of each kind, as in the original
  const [double, single] = [340e6, 142e6].map((size) => Math.round((billions * 1e9) / 2 / size));
  for (let i = 0; i < double; i++) doubleBlock(within(put, `double_blocks.${i}.`), width);
  for (let i = 0; i < single; i++) singleBlock(within(put, `single_blocks.${i}.`), width);
  layer(put, 'final_layer.adaLN_modulation.1', 2 * width, width);
  layer(put, 'final_layer.linear', 64, width);
  return all;
}

function doubleBlock(put: Put, width: number): void {
  for (const kind of ['img', 'txt']) {
    layer(put, `${kind}_mod.lin`, 6 * width, width);
    layer(put, `${kind}_attn.qkv`, 3 * width, width);
    layer(put, `${kind}_attn.proj`, width, width);
    norms(within(put, `${kind}_attn.`));
    layer(put, `${kind}_mlp.0`, 4 * width, width);
    layer(put, `${kind}_mlp.2`, width, 4 * width);
  }
}

function singleBlock(put: Put, width: number): void {
  layer(put, 'modulation.lin', 3 * width, width);
  layer(put, 'linear1', 7 * width, width);
  layer(put, 'linear2', width, 5 * width);
  norms(put);
}

function norms(put: Put): void {
  for (const name of ['query_norm', 'key_norm']) put(`norm.${name}.scale`, 128);
}

const countOf = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

/** Codes of 8-bit floats of about a fiftieth, some of them below 0. */
function smallEights(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  let state = count;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = ((state >>> 24) & 0x87) | 0x08;
  }
  return bytes;
}

async function writeEights(path: string, all: Shapes): Promise<void> {
  const tensors = new Map<string, TensorToWrite>();
  for (const [key, shape] of all) {
    const small = shape.length < 2;
    tensors.set(
      key,
      small
        ? floatTensor(new Float32Array(countOf(shape)).fill(0.01), shape, 'BF16')
        : { dtype: 'F8_E4M3', shape, bytes: () => smallEights(countOf(shape)) },
    );
  }
  await writeSafetensors(path, tensors, { format: 'pt' });
}

async function writeBlocks(path: string, all: Shapes): Promise<void> {
  const { id, bytes, numbers } = blockTypes.Q4_K;
  const infos = [...all].map(([name, shape]) => {
    const inBlocks = shape.length === 2 && shape[1] % numbers === 0;
    const count = countOf(shape);
    const byteLength = inBlocks ? (count / numbers) * bytes : count * 4;
    return { name, sizes: shape.toReversed(), type: inBlocks ? id : 0, byteLength, count };
  });
  const file = await open(`${path}.part`, 'w');
  await writeAll(file, ggufHead({ 'general.architecture': 'flux' }, infos));
  for (const { type, count } of infos) {
    const small = new Float32Array(type === 0 ? count : 0).fill(0.01);
    const blocks = type === id ? quiet(randomBlocks('Q4_K', count)) : new Uint8Array(small.buffer);
    await writeAll(file, padded(blocks));
  }
  await file.close();
  await rename(`${path}.part`, path);
}

/** The steps of blocks made small, so that activations stay near 1. */
function quiet(blocks: Uint8Array): Uint8Array {
  for (let at = 0; at < blocks.length; at += blockTypes.Q4_K.bytes) {
    blocks[at + 1] = 0x02;
    blocks[at + 3] = 0x05;
  }
  return blocks;
}

/** What this process has used of all cores. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Runs the steps here, and tells. */
async function run(path: string): Promise<void> {
  const memoryBudget = Number(values.budget) * gb;
  const log = (level: string, text: string): void => console.log(`  ${level} ${text}`);
  const runtime = createRuntime({ memoryBudget, log });
  const model = await loadDiffusionModel(path, families);
  const cells = Number(values.size) / 8;
  const steps = Number(values.steps);
  const began = performance.now();
  const marks: number[] = [began];
  const used: number[] = [processorSeconds()];
  const words = { cross: zeros([1, 256, 4096]), pooled: zeros([1, 768]), extra: { guidance: 3.5 } };
  const latent = await sampleLatent({
    model: diffusion(model, { runtime }),
    positive: [words],
    negative: [words],
    latent: zeros([1, 16, cells, cells]),
    steps,
    cfg: 1,
    sampler: 'euler',
    scheduler: 'simple',
    seed: 1,
    onStep: () => {
      marks.push(performance.now());
      used.push(processorSeconds());
    },
  });
  const between = (times: readonly number[]): string =>
    times
      .slice(1)
      .map((time, i) => (time - times[i]).toFixed(1))
      .join(', ');
  const peak = process.resourceUsage().maxRSS * 1024;
  const finite = latent.data.every(Number.isFinite);
  console.log(
    `  seconds a step: ${between(marks.map((mark) => mark / 1000))}; of the processor: ${between(used)}; all ${((performance.now() - began) / 1000).toFixed(0)}`,
  );
  console.log(
    `  peak RSS ${(peak / gb).toFixed(2)} GB; open ${(runtime.stats().bytes / gb).toFixed(2)} GB; ${finite ? 'finite' : 'NOT finite'}`,
  );
  await runtime.unloadAll();
}

if (values.run !== undefined) {
  await run(values.run);
} else {
  const [folder] = positionals;
  if (folder === undefined) throw new Error('name a folder for the files');
  const all = shapes(Number(values.billions));
  const writers = { 'flux-fp8.safetensors': writeEights, 'flux-q4_k.gguf': writeBlocks };
  for (const [name, write] of Object.entries(writers)) {
    if (!name.includes(values.only)) continue;
    const path = resolve(folder, name);
    if (!existsSync(path)) await write(path, all);
    console.log(name);
    const flags = ['budget', 'size', 'steps'].flatMap((flag) => [
      `--${flag}`,
      values[flag as 'budget'],
    ]);
    const program = ['--import', join(import.meta.dirname, '../bin/typescript.js')];
    spawnSync(process.execPath, [...program, import.meta.filename, '--run', path, ...flags], {
      stdio: 'inherit',
    });
    const { reference, python, size, steps } = values;
    if (reference === undefined || name.endsWith('.gguf')) continue;
    console.log(`${name}, the reference`);
    const script = join(import.meta.dirname, 'compare/large.py');
    spawnSync(python, [script, path, size, steps], { stdio: 'inherit', cwd: reference });
  }
}

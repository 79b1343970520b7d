/**
 * Fits the colours of latent previews to a checkpoint's own autoencoder, and with --write puts them
 * into the file's metadata; its tensors stay byte for byte.
 *
 *     node --import ./bin/typescript.js bench/fit-preview-colors.ts CHECKPOINT PROMPT... [--size 512] [--write]
 *
 * What is fitted is what previews show: denoised latents along a run for each prompt, cell by cell
 * against the mean colour of the pixels the cell decodes to (least squares, with a bias).
 */
import { parseArgs } from 'node:util';
import { type NDArray, zeros } from '../engine/array/nd.ts';
import { families } from '../engine/arch/families/index.ts';
import { createRuntime } from '../engine/runtime/runtime.ts';
import { sampleLatent } from '../engine/sampling/driver.ts';
import { processOut } from '../engine/sampling/latent/process.ts';
import { colorKeys } from '../engine/sampling/latent/own-colors.ts';
import { latentPreview } from '../engine/sampling/latent/preview.ts';
import type { Folders } from '../engine/store/folders.ts';
import { encodePrompt } from '../engine/values/clip.ts';
import { loadCheckpoint } from '../engine/values/load-checkpoint.ts';
import { diffusion } from '../engine/values/model.ts';
import { decode } from '../engine/values/vae.ts';
import { storageOf } from '../engine/weights/dtypes.ts';
import { readBytes } from '../engine/weights/read.ts';
import { openSafetensors } from '../engine/weights/safetensors.ts';
import type { WeightEntry } from '../engine/weights/source.ts';
import { writeSafetensors } from '../engine/weights/write.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '512' },
    write: { type: 'boolean', default: false },
  },
});
const [path, ...prompts] = positionals;
if (path === undefined || prompts.length === 0) throw new Error('expected CHECKPOINT PROMPT...');
const runtime = createRuntime({ threads: 2 });
const { model, clip, vae } = await loadCheckpoint(path, families);
if (clip === null || vae === null) throw new Error(`${path}: expected a whole checkpoint`);
const network = diffusion(model, { runtime });
const { latentFormat } = network;
const { channels } = latentFormat;
const cells = Number(values.size) / 8;

/** Latent cells (their channels and a 1) and the colours they decode to, in -1..1. */
const xs: number[][] = [];
const ys: number[][] = [];
const shown: { latent: NDArray; colors: number[][] }[] = [];

const services = { runtime, folders: { modelFiles: () => [] } as unknown as Folders };
const negative = [await encodePrompt(clip, '', services)];
for (const [i, prompt] of prompts.entries()) {
  await sampleLatent({
    model: network,
    positive: [await encodePrompt(clip, prompt, services)],
    negative,
    latent: zeros([1, channels, cells, cells]),
    seed: i,
    steps: 12,
    cfg: 4,
    sampler: 'euler',
    scheduler: 'normal',
    onStep: async ({ step, steps, denoised }) => {
      if (step % 3 !== 2 && step !== steps - 1) return;
      const colors = meanColors(await decode(vae, processOut(latentFormat, denoised), { runtime }));
      colors.forEach((color, cell) => {
        xs.push([...cellAt(denoised, cell), 1]);
        ys.push(color);
      });
      if (step === steps - 1) shown.push({ latent: denoised, colors });
    },
  });
}
await runtime.unloadAll();

const solution = leastSquares(xs, ys);
const factors = solution.slice(0, channels).map(rounded);
const bias = rounded(solution[channels]);
const fitted = {
  ...latentFormat,
  rgbFactors: factors,
  rgbBias: bias,
};
report('as the file has it now', latentFormat);
report('fitted', fitted);
const metadata = {
  [colorKeys.factors]: JSON.stringify(factors),
  [colorKeys.bias]: JSON.stringify(bias),
};
console.info(metadata);
if (values.write) await rewriteHeader(path, metadata);

/** Mean error of the last step's previews against the decoded pictures, of 255. */
function report(title: string, format: typeof latentFormat): void {
  let sum = 0;
  let count = 0;
  for (const { latent, colors } of shown) {
    const preview = latentPreview(format, latent);
    if (preview === undefined) return console.info(`${title}: no colours`);
    colors.flat().forEach((value, k) => {
      sum += Math.abs(preview.rgb[k] - ((value + 1) / 2) * 255);
      count++;
    });
  }
  console.info(`${title}: mean error ${(sum / count).toFixed(1)} of 255`);
}

function cellAt({ data, shape }: NDArray, cell: number): number[] {
  const plane = shape[2] * shape[3];
  return Array.from({ length: shape[1] }, (_, c) => data[c * plane + cell]);
}

/** The colour of each 8x8 block of a picture [1, h, w, 3] in 0..1, as -1..1. */
function meanColors({ data, shape: [, height, width] }: NDArray): number[][] {
  const columns = width / 8;
  const sums = Array.from({ length: (height / 8) * columns }, () => [0, 0, 0]);
  for (let k = 0; k < data.length; k++) {
    const pixel = Math.floor(k / 3);
    const row = Math.floor(pixel / width / 8);
    const column = Math.floor((pixel % width) / 8);
    sums[row * columns + column][k % 3] += data[k] / 64;
  }
  return sums.map((color) => color.map((value) => value * 2 - 1));
}

/** W with X·W nearest to Y, by the normal equations and Gauss-Jordan elimination. */
function leastSquares(x: readonly number[][], y: readonly number[][]): number[][] {
  const n = x[0].length;
  const rows = Array.from({ length: n }, (_, i) => [
    ...Array.from({ length: n }, (_, j) => x.reduce((sum, row) => sum + row[i] * row[j], 0)),
    ...[0, 1, 2].map((color) => x.reduce((sum, row, k) => sum + row[i] * y[k][color], 0)),
  ]);
  for (let i = 0; i < n; i++) {
    const best = rows.slice(i).reduce((a, b) => (Math.abs(b[i]) > Math.abs(a[i]) ? b : a));
    rows.splice(rows.indexOf(best), 1);
    rows.splice(
      i,
      0,
      best.map((value) => value / best[i]),
    );
    for (const [j, row] of rows.entries()) {
      if (j !== i) rows[j] = row.map((value, k) => value - row[i] * rows[i][k]);
    }
  }
  return rows.map((row) => row.slice(n));
}

function rounded(color: readonly number[]): [number, number, number] {
  const [r, g, b] = color.map((value) => Number(value.toFixed(4)));
  return [r, g, b];
}

/** The same file with more metadata; its tensors in the order they lie in. */
async function rewriteHeader(file: string, added: Record<string, string>): Promise<void> {
  const { tensors, metadata: present } = await openSafetensors(file);
  const offsetOf = ({ bytes }: WeightEntry): number => (bytes.kind === 'file' ? bytes.offset : 0);
  const inOrder = [...tensors].sort(([, a], [, b]) => offsetOf(a) - offsetOf(b));
  const copies = inOrder.map(([name, entry]) => {
    const { storage } = storageOf(entry);
    return [name, { dtype: storage, shape: entry.shape, bytes: () => readBytes(entry) }] as const;
  });
  await writeSafetensors(file, new Map(copies), { ...present, ...added });
}

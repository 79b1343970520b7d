/** Golden area `end-to-end`: whole workflows through the executor, node outputs and saved pictures. */
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { NDArray } from '../../../engine/array/nd.ts';
import { loadImageFile } from '../../../engine/media/load-image.ts';
import { toImageAndMask } from '../../../engine/media/to-array.ts';
import type { Conditioning } from '../../../engine/values/conditioning.ts';
import { goldenDir, goldenFiles } from '../../support/golden.ts';
import {
  type Installation,
  type WorkflowRun,
  createInstallation,
  missingNodes,
  runWorkflow,
} from '../../support/run-workflow.ts';
import { type CaseResult, type Comparison, compare, type GoldenArea } from '../area.ts';
import { goldenRuntime } from '../device.ts';
import { type GoldenCase, gunzipped, openCase } from '../open-case.ts';

interface Params {
  readonly atol_latent: number;
  readonly atol_image: number;
  readonly rtol: number;
}

const runtime = goldenRuntime();

/** Where the other areas' models lie, relative to this area's usual folder. */
const elsewhere: readonly (readonly [target: string, source: string])[] = [
  ['models/loras', '../lora/models/loras'],
  ['models/controlnet', '../controlnet/models/controlnet'],
  ['models/upscale_models', '../upscale/models/upscale_models'],
  ['models/diffusion_models', '../unet/models'],
];

/**
 * Folders of files for an installation in the order in which they count: what the folder of cases
 * brings itself (`models/<any folder>`, `input`), then the usual ones.
 */
export function sourcesFor(dir: string): (readonly [target: string, folder: string])[] {
  const usual = goldenDir('end-to-end');
  const own = [dir, usual].flatMap((root) => [
    ...foldersIn(join(root, 'models')).map(
      (name) => [`models/${name}`, join(root, 'models', name)] as const,
    ),
    ['input', join(root, 'input')] as const,
  ]);
  return [...own, ...elsewhere.map(([target, source]) => [target, join(usual, source)] as const)];
}

const foldersIn = (path: string): string[] =>
  existsSync(path)
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
    : [];

/** What its cases compute. */
const extent = 'workflow';

const installations = new Map<string, Promise<Installation>>();

/** The folders the README describes, made once; a folder of cases without models uses the usual ones. */
function install(dir: string): Promise<Installation> {
  let installation = installations.get(dir);
  if (!installation) {
    installation = build(dir);
    installations.set(dir, installation);
  }
  return installation;
}

/** Removes the folders (the command line runner's go away with its process). */
export async function removeInstallations(): Promise<void> {
  const made = await Promise.all(installations.values());
  installations.clear();
  await Promise.all(made.map((installation) => installation.remove()));
}

async function build(dir: string): Promise<Installation> {
  const installation = createInstallation();
  const added = new Set<string>();
  for (const [target, folder] of sourcesFor(dir)) {
    const fresh = (existsSync(folder) ? readdirSync(folder) : []).filter((file) => {
      const place = join(target, basename(file, '.gz'));
      return !added.has(place) && added.add(place);
    });
    const files = await Promise.all(fresh.map((file) => gunzipped(join(folder, file))));
    installation.add(target, files);
  }
  return installation;
}

/** The value a golden tensor's name points at: `5.0.samples`, `6.0`, `3.0.cond0`. */
function valueAt(run: WorkflowRun, path: string): NDArray | undefined {
  const [node, slot, ...rest] = path.split('.');
  const value = run.values.get(node)?.[Number(slot)];
  const [field] = rest;
  const text = /^(cond|pooled)(\d+)$/.exec(field ?? '');
  if (text) {
    const entry = (value as Conditioning | undefined)?.[Number(text[2])];
    return text[1] === 'cond' ? entry?.cross : entry?.pooled;
  }
  // SIGMAS
  if (value instanceof Float32Array) return { data: value, shape: [value.length] };
  if (field === undefined) return value as NDArray | undefined;
  return (value as Record<string, NDArray> | undefined)?.[field];
}

function compareValues(golden: GoldenCase<Params>, run: WorkflowRun): Comparison[] {
  const { atol_latent, atol_image, rtol } = golden.params;
  return golden.names.map((name) => {
    const path = name.replace(/^(out|mid)\./, '');
    const atol = path.endsWith('.samples') ? atol_latent : atol_image;
    const got = valueAt(run, path);
    if (!got) return { name: `${name} (no value)`, maxError: Infinity, tolerance: 0, pass: false };
    return compare(name, got, golden.array(name), { atol, rtol, extent });
  });
}

/** Saved pictures against `<case>.<node>.<n>.png`: one grey level may differ. */
async function comparePictures(dir: string, name: string, run: WorkflowRun): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const file of goldenFiles(dir, '.png').filter((png) => png.startsWith(`${name}.`))) {
    const [, node, index] = /\.(\w+)\.(\d+)\.png$/.exec(file)!;
    const saved = run.files.get(node)?.[Number(index)];
    if (saved === undefined) {
      const missing = { maxError: Infinity, tolerance: 1, pass: false };
      comparisons.push({ name: `${file} (not saved)`, ...missing });
      continue;
    }
    const [got, expected] = await Promise.all([bytesOf(saved), bytesOf(join(dir, file))]);
    comparisons.push(compare(file, got, expected, { atol: 1, rtol: 0, extent }));
  }
  return comparisons;
}

async function bytesOf(path: string): Promise<NDArray> {
  const { image } = toImageAndMask(await loadImageFile(path));
  return { data: image.data.map((value) => Math.round(value * 255)), shape: image.shape };
}

export const area: GoldenArea = {
  name: 'end-to-end',
  list: async (dir) => goldenFiles(dir, '.workflow.json').map((file) => file.slice(0, -14)),
  async run(dir, name): Promise<CaseResult> {
    const workflow = await readFile(join(dir, `${name}.workflow.json`), 'utf8');
    const missing = missingNodes(workflow);
    if (missing.length > 0) return { skip: `nodes not supported yet: ${missing.join(', ')}` };
    const golden = await openCase<Params>(join(dir, `${name}.safetensors`));
    const { base } = await install(dir);
    const run = await runWorkflow(workflow, { base, runtime });
    return {
      comparisons: [...compareValues(golden, run), ...(await comparePictures(dir, name, run))],
    };
  },
};

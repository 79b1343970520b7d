/** Tiny files under the names that a prompt asks for, and the prompt made small. */
import { linkSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import sharp from 'sharp';
import type { InputSpec, NodeRegistry, Prompt } from '../../engine/graph/definition.ts';
import { isLink } from '../../engine/graph/link.ts';
import type { NDArray } from '../../engine/array/nd.ts';
import { type TensorToWrite, floatTensor, writeSafetensors } from '../../engine/weights/write.ts';
import type { Json } from '../../engine/workflow/lossless-json.ts';
import { type PlainDict, writeTorchFile } from '../support/torch-file.ts';

/** What a file holds: numbers, which are stored in half precision, and tensors as they are stored. */
export type FileTensors = ReadonlyMap<string, NDArray | TensorToWrite>;

/** What stands in for files of such a name: how it is made, or why there is nothing. */
export type StandIn = readonly [name: RegExp, make: (() => Promise<FileTensors>) | string];

/** By model folder; the first row that fits counts. */
export type StandIns = Readonly<Record<string, readonly StandIn[]>>;

export interface NamedFile {
  /** `input`, or a folder of models. */
  readonly folder: string;
  readonly name: string;
  readonly node: string;
  readonly input: string;
}

/**
 * The folder whose files an input offers, `input` for pictures; undefined for inputs that are no files, and for
 * names that are offered without any.
 */
function folderOf(spec: InputSpec | undefined, name: unknown): string | undefined {
  if (spec?.options?.image_upload === true) return 'input';
  if (typeof spec?.choices !== 'function') return undefined;
  let folder: string | undefined;
  const models = (name: string): readonly string[] => {
    folder ??= name;
    return [];
  };
  const inputs = (): readonly string[] => {
    folder ??= 'input';
    return [];
  };
  const always = spec.choices({ modelFiles: models, inputFiles: inputs }) as readonly unknown[];
  return always.includes(name) ? undefined : folder;
}

/** Every file that a prompt names. */
export function filesOf(prompt: Prompt, nodes: NodeRegistry): NamedFile[] {
  return Object.entries(prompt).flatMap(([node, { class_type, inputs }]) =>
    Object.entries(inputs).flatMap(([input, name]) => {
      const folder = folderOf(nodes.get(class_type)?.inputs[input], name);
      return folder === undefined || typeof name !== 'string'
        ? []
        : [{ folder, name, node, input }];
    }),
  );
}

/** Coloured tiles, so that there are edges, and a hole in the middle for workflows that inpaint. */
async function picture(file: string): Promise<string> {
  const [width, height] = [96, 64];
  const pixels = Buffer.alloc(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const tile = (x >> 4) + (y >> 4);
      const hole = x >= 32 && x < 64 && y >= 16 && y < 48;
      pixels.set(
        [(tile % 2) * 200 + x / 2, (tile % 3) * 100 + y / 2, 2 * x, hole ? 0 : 255],
        (y * width + x) * 4,
      );
    }
  }
  await sharp(pixels, { raw: { width, height, channels: 4 } })
    .png()
    .toFile(file);
  return file;
}

/** The row of a file, and a name for it; undefined for pictures and what nothing stands in for. */
export function rowOf(
  standIns: StandIns,
  { folder, name }: Pick<NamedFile, 'folder' | 'name'>,
): { readonly id: string; readonly make: StandIn[1] } | undefined {
  if (folder === 'input') return undefined;
  const rows = Object.hasOwn(standIns, folder) ? standIns[folder] : [];
  const row = rows.findIndex(([pattern]) => pattern.test(name));
  return row < 0 ? undefined : { id: `${folder}-${row}`, make: rows[row][1] };
}

const made = new Map<string, Promise<string>>();
const placed = new Set<string>();

/** Puts stand-ins for these files into an installation; each kind of file is made once. */
export async function placeFiles(
  base: string,
  files: readonly NamedFile[],
  standIns: StandIns,
): Promise<void> {
  for (const named of files) {
    const { folder, name } = named;
    const [inside, place = 'input'] = name.split(/ \[(input|output|temp)\]$/);
    const target = join(base, folder === 'input' ? place : join('models', folder), inside);
    if (placed.has(target)) continue;
    placed.add(target);
    const source = await standIn(base, named, standIns);
    mkdirSync(dirname(target), { recursive: true });
    // Models as symbolic links: the same file under two names shares its sessions.
    (folder === 'input' ? linkSync : symlinkSync)(source, target);
  }
}

function standIn(base: string, named: NamedFile, standIns: StandIns): Promise<string> {
  const { folder, name } = named;
  const row = rowOf(standIns, named);
  if (!row && folder !== 'input') throw new Error(`no stand-in for '${name}' of ${folder}`);
  const file = join(base, 'made', row ? row.id + extname(name) : 'picture.png');
  let path = made.get(file);
  if (!path) {
    mkdirSync(dirname(file), { recursive: true });
    path = row ? make(file, row.make) : picture(file);
    made.set(file, path);
  }
  return path;
}

/** As such files are saved: `.ckpt` with its weights under `state_dict`, `.pt` and `.pth` bare. */
async function make(file: string, tensors: StandIn[1]): Promise<string> {
  if (typeof tensors === 'string') throw new Error(tensors);
  const entries = [...(await tensors())];
  const dict = (): PlainDict => Object.fromEntries(entries) as unknown as PlainDict;
  switch (extname(file)) {
    case '.safetensors':
    case '.sft':
      await writeSafetensors(file, new Map(entries.map(([key, tensor]) => [key, stored(tensor)])));
      break;
    case '.ckpt':
      writeTorchFile(file, { state_dict: dict() });
      break;
    default:
      writeTorchFile(file, dict());
  }
  return file;
}

const stored = (tensor: NDArray | TensorToWrite): TensorToWrite =>
  'data' in tensor ? floatTensor(tensor.data, tensor.shape, 'F16') : tensor;

/** Lengths in pixels, which become an eighth. */
const lengths = new Set(['width', 'height', 'x', 'y', 'left', 'top', 'right', 'bottom']);
const mostSteps = 4;

/** Inputs of nodes that only hand a number on. */
const handedOn = /^(value|default_value|number)$/i;

/** Makes a prompt small in place: an eighth of every length, few steps, one or two pictures. */
export function makeSmall(prompt: Prompt, nodes: NodeRegistry): void {
  const sources = lengthSources(prompt);
  for (const [id, { class_type, inputs }] of Object.entries(prompt)) {
    const steps = Number(inputs.steps);
    for (const [name, value] of Object.entries(inputs)) {
      if (isLink(value) || typeof value === 'string') continue;
      const number = Number(value);
      const spec = nodes.get(class_type)?.inputs[name];
      const least = Number(spec?.options?.min ?? 0);
      if (lengths.has(name) || (sources.has(id) && handedOn.test(name))) {
        inputs[name] = Math.max(least, 8 * Math.round(number / 64));
      } else if (name === 'megapixels') inputs[name] = Math.max(least, number / 64);
      else if (name === 'batch_size') inputs[name] = Math.min(2, number);
      else if (/^(steps|start_at_step|end_at_step)$/.test(name) && steps > mostSteps) {
        inputs[name] = Math.max(least, Math.round((Math.min(number, 10_000) * mostSteps) / steps));
      }
    }
  }
}

/** Nodes whose number is a length of another node. */
function lengthSources(prompt: Prompt): ReadonlySet<string> {
  const links = Object.values(prompt).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([name, value]) =>
      lengths.has(name) && isLink(value) ? [value[0]] : [],
    ),
  );
  return new Set(links);
}

/** Names of files as they are written on this system: workflows from Windows have `\\` between folders. */
export function localNames(prompt: Prompt, nodes: NodeRegistry): void {
  for (const { node, input, name } of filesOf(prompt, nodes)) {
    prompt[node].inputs[input] = name.replaceAll('\\', '/');
  }
}

/**
 * Gives required values that the prompt lacks (those of older versions of a class, and `{{gaps}}` of
 * templates) their defaults in place, as an editor does.
 */
export function complete(prompt: Prompt, nodes: NodeRegistry): void {
  for (const { class_type, inputs } of Object.values(prompt)) {
    for (const [name, spec] of Object.entries(nodes.get(class_type)?.inputs ?? {})) {
      const { options, choices, type, optional } = spec;
      const gap = typeof inputs[name] === 'string' && /^\{\{.*\}\}$/.test(inputs[name]);
      if (optional || (inputs[name] !== undefined && !(gap && type !== 'COMBO'))) continue;
      const [first] = Array.isArray(choices) ? (choices as unknown[]) : [];
      const value = options?.default ?? first;
      if (value !== undefined) inputs[name] = value as Json;
    }
  }
}

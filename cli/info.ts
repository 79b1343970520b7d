/** `noodle info`: what a .safetensors file holds, from its header alone. */
import { families } from '../engine/arch/families/index.ts';
import { modelPrefix } from '../engine/arch/families/detect.ts';
import { NoodleError } from '../engine/errors.ts';
import { loadDiffusionModel } from '../engine/values/load-checkpoint.ts';
import { openSafetensors } from '../engine/weights/safetensors.ts';
import type { SafetensorsFile } from '../engine/weights/safetensors.ts';
import type { WeightEntry } from '../engine/weights/source.ts';
import { bytesText, safeText, table } from './print.ts';

export interface InfoFlags {
  readonly json?: boolean;
  readonly tensors?: boolean;
  readonly devices?: boolean;
}

interface Part {
  readonly name: string;
  tensors: number;
  parameters: number;
  bytes: number;
}

export interface FileInfo {
  readonly file: string;
  readonly bytes: number;
  readonly tensors: number;
  readonly parameters: number;
  /** Title of the model family, or why there is none. */
  readonly family: string | null;
  readonly reason?: string;
  readonly parts: readonly Part[];
  /** Bytes by storage type, largest first. */
  readonly dtypes: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Prints every file; answers 1 when one of them could not be read. */
export async function infoCommand(files: readonly string[], flags: InfoFlags): Promise<number> {
  let code = 0;
  for (const path of files) {
    try {
      const file = await openSafetensors(path);
      const info = await fileInfo(path, file);
      if (flags.json) console.log(JSON.stringify(flags.tensors ? withTensors(info, file) : info));
      else console.log(infoText(info) + (flags.tensors ? `\n${tensorText(file)}` : '') + '\n');
    } catch (error) {
      if (!(error instanceof NoodleError)) throw error;
      console.error(`error: ${safeText(error.message)}`);
      code = 1;
    }
  }
  return code;
}

/** Everything that the header says. */
export async function fileInfo(path: string, file: SafetensorsFile): Promise<FileInfo> {
  const all = [...file.tensors.values()];
  const dtypes = new Map<string, number>();
  for (const { dtype, byteLength } of all) {
    dtypes.set(dtype, (dtypes.get(dtype) ?? 0) + byteLength);
  }
  return {
    file: path,
    bytes: 8 + file.headerLength + all.reduce((sum, { byteLength }) => sum + byteLength, 0),
    tensors: all.length,
    parameters: all.reduce((sum, tensor) => sum + elements(tensor), 0),
    ...(await familyOf(path)),
    parts: partsOf(file),
    dtypes: Object.fromEntries([...dtypes].sort(([, a], [, b]) => b - a)),
    metadata: file.metadata,
  };
}

async function familyOf(path: string): Promise<Pick<FileInfo, 'family' | 'reason'>> {
  try {
    return { family: (await loadDiffusionModel(path, families)).family.title };
  } catch (error) {
    if (!(error instanceof NoodleError)) throw error;
    const { reason } = error.details;
    return { family: null, reason: typeof reason === 'string' ? reason : error.message };
  }
}

/** Where checkpoints keep their parts. */
const PARTS: readonly (readonly [name: string, prefixes: readonly string[]])[] = [
  ['autoencoder', ['first_stage_model.', 'vae.']],
  ['text encoders', ['cond_stage_model.', 'conditioner.', 'text_encoders.']],
  ['averaged weights', ['model_ema.']],
  ['control network', ['control_model.']],
];

function partsOf(file: SafetensorsFile): Part[] {
  const prefix = modelPrefix(file.tensors.keys());
  const parts = new Map<string, Part>();
  for (const [key, tensor] of file.tensors) {
    const known = PARTS.find(([, prefixes]) => prefixes.some((start) => key.startsWith(start)));
    const name = key.startsWith(prefix) ? 'diffusion model' : (known?.[0] ?? 'other');
    const part = parts.get(name) ?? { name, tensors: 0, parameters: 0, bytes: 0 };
    part.tensors++;
    part.parameters += elements(tensor);
    part.bytes += tensor.byteLength;
    parts.set(name, part);
  }
  return [...parts.values()].sort((a, b) => b.bytes - a.bytes);
}

const elements = ({ shape }: WeightEntry): number => shape.reduce((n, dim) => n * dim, 1);

function infoText(info: FileInfo): string {
  const family = info.family ?? `none known (${info.reason ?? ''})`;
  const rows: (string | number)[][] = [
    ['family', safeText(family)],
    [
      'size',
      `${bytesText(info.bytes)}, ${info.tensors} tensors, ${countText(info.parameters)} parameters`,
    ],
    [
      'types',
      Object.entries(info.dtypes)
        .map(([type, bytes]) => `${type} ${bytesText(bytes)}`)
        .join(', '),
    ],
    ...info.parts.map((part): string[] => [
      part.name,
      `${bytesText(part.bytes)}, ${part.tensors} tensors, ${countText(part.parameters)} parameters`,
    ]),
    ...Object.entries(info.metadata).map(([key, value]): string[] => [
      safeText(key).slice(0, 60),
      shorten(safeText(value.replace(/\s+/g, ' '))),
    ]),
  ];
  return `${safeText(info.file)}\n${table(rows.map(([name, text]) => [`  ${name}`, text]))}`;
}

const shorten = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);

const countText = (count: number): string => {
  if (count >= 1e9) return `${(count / 1e9).toPrecision(3)} billion`;
  return count >= 1e6 ? `${(count / 1e6).toPrecision(3)} million` : String(count);
};

function tensorText(file: SafetensorsFile): string {
  return table(
    [...file.tensors].map(([key, { dtype, shape }]) => [
      `  ${safeText(key)}`,
      dtype,
      `[${shape.join(', ')}]`,
    ]),
  );
}

function withTensors(info: FileInfo, file: SafetensorsFile): unknown {
  const list = Object.fromEntries(
    [...file.tensors].map(([key, { dtype, shape }]) => [key, { dtype, shape }]),
  );
  return { ...info, list };
}

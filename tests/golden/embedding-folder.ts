/** Embedding files as golden cases describe them. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeSafetensors } from '../../engine/weights/write.ts';
import { type PlainDict, type PlainTensor, writeTorchFile } from '../support/torch-file.ts';
import { temporaryFolder } from './open-case.ts';

const folders = new Map<string, Promise<string>>();

/** The folder with the embedding files of a description; made once and removed at the end. */
export function embeddingFolder(descriptions: Readonly<Record<string, string>>): Promise<string> {
  const key = JSON.stringify(descriptions);
  let folder = folders.get(key);
  if (folder === undefined) {
    folder = temporaryFolder().then(async (temporary) => {
      const inside = join(temporary, 'embeddings');
      await writeEmbeddings(inside, descriptions);
      return inside;
    });
    folders.set(key, folder);
  }
  return folder;
}

/**
 * Makes the embedding files from their descriptions: `emb_params [3,768]; row r filled with
 * 1 + r/64`, `clip_l [2,768] 3 + r/64; clip_g …`, `torch pickle {string_to_param: {'*': [5,768]}} …`.
 */
async function writeEmbeddings(
  folder: string,
  descriptions: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, description] of Object.entries(descriptions)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    const tensors = describedTensors(description);
    if (description.startsWith('torch pickle')) {
      const dict: PlainDict = Object.fromEntries(tensors);
      const nested = description.includes('string_to_param');
      writeTorchFile(path, nested ? { string_to_param: dict, name: 'emb', step: 'none' } : dict);
      continue;
    }
    // The safetensors library writes tensors of one dtype in the order of their names.
    const sorted = tensors.sort(([a], [b]) => (a < b ? -1 : 1));
    const entries = sorted.map(([key, { shape, data }]) => {
      const bytes = new Uint8Array(data.buffer);
      return [key, { dtype: 'F32' as const, shape, bytes }] as const;
    });
    await writeSafetensors(path, new Map(entries));
  }
}

function describedTensors(description: string): [string, PlainTensor][] {
  const found = description.matchAll(
    /['"]?([\w*<>]+)['"]?:? \[([\d,]+)\][^;\d]*;?[^;\d]*(\d+(?:\.\d+)?)( \+ r\/64)?/g,
  );
  const tensors = [...found].map(([, key, dims, value, rows]): [string, PlainTensor] => {
    const shape = dims.split(',').map(Number);
    const width = shape[shape.length - 1];
    const data = new Float32Array(shape.reduce((n, dim) => n * dim, 1));
    for (let i = 0; i < data.length; i++) {
      data[i] = Number(value) + (rows === undefined ? 0 : Math.floor(i / width) / 64);
    }
    return [key, { shape, data }];
  });
  // A file that must never be found may hold anything.
  const empty: PlainTensor = { shape: [1, 768], data: new Float32Array(768) };
  return tensors.length > 0 ? tensors : [['emb_params', empty]];
}

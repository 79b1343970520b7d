/** Models in folders as the diffusers library saves them: one folder for each part. */
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Family } from '../arch/family.ts';
import { NoodleError } from '../errors.ts';
import type { Folders } from '../store/folders.ts';
import { openSource } from '../weights/open.ts';
import { type WeightSource, mergeSources } from '../weights/source.ts';
import {
  type Checkpoint,
  diffusionModelOf,
  familyVae,
  familyTextSetups,
  textEncodersOf,
} from './load-checkpoint.ts';

/** The file in every such folder that names its parts. */
export const diffusersIndex = 'model_index.json';

const networkNames = ['diffusion_pytorch_model.fp16', 'diffusion_pytorch_model'];
const encoderNames = ['model.fp16', 'model'];

/**
 * Opens the model in a folder of `models/diffusers`: `unet`, `vae`, `text_encoder` and, where there is
 * one, `text_encoder_2`; files whole or in shards. Throws FILE_NOT_FOUND for a part that is missing, and
 * what opening its files throws.
 */
export async function loadDiffusers(
  name: string,
  folders: Pick<Folders, 'modelFile'>,
  families: readonly Family[],
): Promise<Checkpoint> {
  const part = async (folder: string, names: readonly string[]): Promise<WeightSource> => {
    const source = await openPart(`${name}/${folder}`, names, folders);
    if (source) return source;
    const wanted = `${name}/${folder}/${names.at(-1)}.safetensors`;
    throw new NoodleError('FILE_NOT_FOUND', { kind: "Model in folder 'diffusers'", name: wanted });
  };
  const model = await diffusionModelOf(await part('unet', networkNames), families);
  const encoders = [await part('text_encoder', encoderNames)];
  const second = await openPart(`${name}/text_encoder_2`, encoderNames, folders);
  if (second) encoders.push(second);
  const clip = textEncodersOf(encoders, familyTextSetups, `the diffusers model '${name}'`);
  return {
    model,
    clip,
    vision: null,
    vae: familyVae(await part('vae', networkNames), model.family),
  };
}

/** The first of these files that is there: safetensors, then pickles, whole before shards. */
async function openPart(
  folder: string,
  names: readonly string[],
  folders: Pick<Folders, 'modelFile'>,
): Promise<WeightSource | undefined> {
  const find = (file: string): string | undefined => {
    try {
      return folders.modelFile('diffusers', `${folder}/${file}`);
    } catch (error) {
      if (error instanceof NoodleError && error.code === 'FILE_NOT_FOUND') return undefined;
      throw error;
    }
  };
  // text encoders' pickles have a prefix of their own
  const files = [
    ...names.map((name) => `${name}.safetensors`),
    ...names.map((name) => `${name.startsWith('model') ? `pytorch_${name}` : name}.bin`),
  ];
  for (const file of files) {
    const path = find(file);
    if (path !== undefined) return openSource(path);
    const index = find(`${file}.index.json`);
    if (index === undefined) continue;
    const shards = shardsOf(index).map((shard) =>
      folders.modelFile('diffusers', `${folder}/${shard}`),
    );
    const opened = [];
    for (const shard of shards) opened.push(await openSource(shard));
    return { ...mergeSources(opened), label: dirname(index) };
  }
  return undefined;
}

/** A list of a model's shards has no need to be larger. */
const maxIndexBytes = 64 << 20;

/** The files that `….index.json` names. Throws BAD_INPUT when it is none. */
function shardsOf(index: string): string[] {
  const fail = (got: string, cause?: unknown): never => {
    const details = { subject: index, expected: 'a weight_map of tensors to files', got };
    throw new NoodleError('BAD_INPUT', details, { cause });
  };
  if (statSync(index).size > maxIndexBytes) fail('a file that is too large');
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(index, 'utf8'));
  } catch (error) {
    fail('no JSON', error);
  }
  const map = (content as { weight_map?: unknown } | null)?.weight_map;
  const files = typeof map === 'object' && map !== null ? Object.values(map) : [];
  const names = files.filter((file): file is string => typeof file === 'string');
  if (names.length === 0 || names.length < files.length) fail('something else');
  return [...new Set(names)].sort();
}

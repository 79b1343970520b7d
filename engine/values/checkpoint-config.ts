/**
 * What CheckpointLoader takes from a configuration: one of the standard ones, or a YAML file of
 * `configs`.
 */
import { readFileSync, statSync } from 'node:fs';
import { NoodleError } from '../errors.ts';
import type { Folders } from '../store/folders.ts';
import { type Clip, withLastLayer } from './clip.ts';
import { type CheckpointConfig, standardConfigs } from './checkpoint-config-names.ts';
import type { Checkpoint } from './load-checkpoint.ts';

/** A configuration is a page of text. */
const maxBytes = 1 << 20;

/** The configuration of that name; a user's file goes before a standard one. Throws BAD_INPUT. */
export async function readConfig(
  name: string,
  folders: Pick<Folders, 'modelFiles' | 'modelFile'>,
): Promise<CheckpointConfig> {
  if (!folders.modelFiles('configs').includes(name) && Object.hasOwn(standardConfigs, name)) {
    return standardConfigs[name];
  }
  const path = folders.modelFile('configs', name);
  const fail = (got: string, cause?: unknown): never => {
    const details = { subject: `configs/${name}`, expected: 'a YAML file with model.params', got };
    throw new NoodleError('BAD_INPUT', details, { cause });
  };
  if (statSync(path).size > maxBytes) fail('a file that is too large');
  const { parse } = await import('yaml');
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    fail('no YAML', error);
  }
  const params = inside(inside(content, 'model'), 'params');
  if (params === undefined) return fail('none');
  const layer = inside(inside(inside(params, 'cond_stage_config'), 'params'), 'layer_idx');
  return {
    predictsV: inside(params, 'parameterization') === 'v',
    lastLayer: typeof layer === 'number' ? layer : undefined,
  };
}

/** The checkpoint as its configuration wants it. */
export function configured(checkpoint: Checkpoint, config: CheckpointConfig): Checkpoint {
  const { model } = checkpoint;
  const clip: Clip | null =
    checkpoint.clip && config.lastLayer !== undefined
      ? withLastLayer(checkpoint.clip, config.lastLayer)
      : checkpoint.clip;
  const sampling = config.predictsV
    ? { ...model.sampling, prediction: 'v' as const }
    : model.sampling;
  return { ...checkpoint, clip, model: { ...model, sampling } };
}

const inside = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;

/** Opening files of control networks: what they are follows from their keys. */
import { parse } from 'node:path';
import { detectCascadeControl } from '../arch/cascade/controlnet.ts';
import { detectControlNet } from '../arch/controlnet.ts';
import { detectT2IAdapter } from '../arch/t2i-adapter.ts';
import { findTransformerControl } from '../arch/transformer-controls.ts';
import { NoodleError } from '../errors.ts';
import { openWeights } from '../tensor/cursor.ts';
import {
  fromDiffusersControlNet,
  fromDiffusersT2IAdapter,
  isDiffusersControlNet,
  isDiffusersT2IAdapter,
} from '../weights/key-maps/diffusers-controlnet.ts';
import { fromDiffusersTransformer } from '../weights/key-maps/diffusers-transformers.ts';
import { readTensor } from '../weights/read.ts';
import { type WeightSource, sub } from '../weights/source.ts';
import type { ControlNet } from './control-net.ts';
import { openSource } from '../weights/open.ts';
import type { Weighted } from './network.ts';

/** What later families' control networks are known by. */
const foreign: readonly (readonly [key: string, title: string])[] = [
  ['after_proj_list.18.bias', 'a ControlNet for Hunyuan DiT'],
  ['controlnet_blocks.0.weight', 'a ControlNet for a diffusion transformer'],
];

/**
 * Opens a ControlNet (also Control-LoRA and difference files) or T2I-Adapter. `base` is the model that
 * a difference file is added to. Reads the header only. Throws FAMILY_UNKNOWN, saying what the file
 * seems to be, and BAD_INPUT for a difference file without `base`.
 */
export async function loadControlNet(path: string, base?: Weighted | null): Promise<ControlNet> {
  const file = await openSource(path);
  const has = (key: string): boolean => file.tensors.has(key);
  const shared = { source: file, patches: [], pooled: /_shuffle(_fp16)?$/.test(parse(path).name) };
  if (has('lora_controlnet')) return { ...shared, kind: 'controlnet', onModel: 'lora' };

  const source = underUsualNames(file);
  if (has('control_model.zero_convs.0.0.weight') && has('difference')) {
    if (!base) {
      const expected = 'the model it was made for: load it with DiffControlNetLoader';
      throw new NoodleError('BAD_INPUT', {
        subject: `the ControlNet ${path}`,
        expected,
        got: 'none',
      });
    }
    return { ...shared, source, kind: 'controlnet', onModel: { base } };
  }
  const weights = openWeights(source);
  if (detectControlNet(weights)) return { ...shared, source, kind: 'controlnet' };
  if (detectT2IAdapter(weights)) return { ...shared, source, kind: 't2i-adapter' };
  if (detectCascadeControl(weights)) return { ...shared, source, kind: 'cascade-controlnet' };
  const transformer = findTransformerControl(weights);
  if (transformer) {
    const { hint } = transformer.config;
    const masked = hint.kind === 'latent' && hint.masked;
    const preparedFor = await statedType(file);
    return { ...shared, source, kind: 'transformer-controlnet', masked, preparedFor };
  }
  const what = foreign.find(([key]) => has(key));
  const reason = what
    ? `it seems to be ${what[1]}, which is not supported yet`
    : 'it is no ControlNet and no T2I-Adapter of a known kind';
  throw new NoodleError('FAMILY_UNKNOWN', { file: path, reason });
}

/** The kind of hint that a file says it is for, by a number of its own. */
async function statedType(file: WeightSource): Promise<number | undefined> {
  if (!file.tensors.has('control_type')) return undefined;
  return Math.round((await readTensor(file, 'control_type')).data[0]);
}

function underUsualNames(file: WeightSource): WeightSource {
  const transformer = fromDiffusersTransformer(file);
  if (transformer !== file) return transformer;
  if (isDiffusersControlNet(file)) return fromDiffusersControlNet(file);
  if (isDiffusersT2IAdapter(file)) return fromDiffusersT2IAdapter(file);
  const inside = sub(file, 'control_model.');
  return inside.tensors.size > 0 ? inside : file;
}

/** UPSCALE_MODEL: a network that makes pictures larger, as it travels between nodes; immutable. */
import { foreignUpscaler } from '../arch/upscale/foreign.ts';
import type { UpscaleKind, UpscalerFacts } from '../arch/upscale/kind.ts';
import { detectUpscaler, upscaleKinds } from '../arch/upscale/kinds.ts';
import { NoodleError } from '../errors.ts';
import { openWeights } from '../tensor/cursor.ts';
import { openSource } from '../weights/open.ts';
import { readTensor } from '../weights/read.ts';
import { type WeightSource, sub } from '../weights/source.ts';
import { instead } from './contents.ts';
import type { Weighted } from './network.ts';

export interface UpscaleModel<C = unknown> extends Weighted, UpscalerFacts {
  readonly kind: UpscaleKind<C>;
  /** What the kind read from the weights; only the kind looks inside. */
  readonly config: C;
}

/** Opens a file of `upscale_models`. Throws FAMILY_UNKNOWN for networks of no known architecture. */
export const loadUpscaleModel = async (path: string): Promise<UpscaleModel> =>
  openUpscaleModel(await openSource(path));

/** The upscaler in a source, wherever in it its weights lie. Throws FAMILY_UNKNOWN. */
export async function openUpscaleModel(
  file: WeightSource,
  kinds: readonly UpscaleKind[] = upscaleKinds,
): Promise<UpscaleModel> {
  let seems: string | undefined;
  for (const source of unwrapped(file)) {
    const cursor = openWeights(source);
    seems ??= foreignUpscaler(cursor);
    if (seems !== undefined) break;
    const read = async (key: string) => (await readTensor(source, key)).data;
    const detected = await detectUpscaler(cursor, read, kinds);
    if (detected) return { ...detected, source, patches: [] };
  }
  const reason = seems
    ? `it seems to be a model of the architecture ${seems}, which is not supported`
    : `it is no upscale model of a known architecture${instead(file)}`;
  throw new NoodleError('FAMILY_UNKNOWN', { file: file.label, reason });
}

/** What training scripts put around weights, in the order in which it counts. */
const wrappers = [
  'model_state_dict.',
  'state_dict.',
  'params_ema.',
  'params-ema.',
  'params.',
  'model.',
  'net.',
];
/** What stands before every key where a network was wrapped for training. */
const prefixes = ['module.', 'netG.'];

/** The source itself and what it may hold, each without the prefixes that all of its keys have. */
function* unwrapped(file: WeightSource): Generator<WeightSource> {
  for (const wrapper of ['', ...wrappers]) {
    let source = wrapper === '' ? file : sub(file, wrapper);
    if (source.tensors.size === 0) continue;
    for (const prefix of prefixes) {
      const all = [...source.tensors.keys()].every((key) => key.startsWith(prefix));
      if (all) source = sub(source, prefix);
    }
    yield source;
  }
}

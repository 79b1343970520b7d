/** Which family a file belongs to: from keys and shapes, never from its name. */
import { NoodleError } from '../../errors.ts';
import { type Weights, openWeights } from '../../tensor/cursor.ts';
import type { SamplingSettings } from '../../sampling/model-sampling.ts';
import type { WeightSource } from '../../weights/source.ts';
import type { ExtraChannels, Family } from '../family.ts';
import { foreignModel, otherKind } from './foreign.ts';

export interface Detected {
  readonly family: Family;
  /** What `family.detect` gave. */
  readonly config: unknown;
  readonly sampling: SamplingSettings;
  readonly extraChannels: ExtraChannels;
}

/** Reads the numbers of a small tensor of a source; undefined when it is missing. */
export type ReadValues = (source: WeightSource, key: string) => Promise<Float32Array | undefined>;

/** The prefix of the diffusion model's keys: the most frequent of the known ones, else `model.`. */
export function modelPrefix(keys: Iterable<string>): string {
  const counts = new Map(
    ['model.diffusion_model.', 'model.model.', 'net.'].map((prefix) => [prefix, 0]),
  );
  for (const key of keys) {
    const prefix = [...counts.keys()].find((candidate) => key.startsWith(candidate));
    if (prefix !== undefined) counts.set(prefix, counts.get(prefix)! + 1);
  }
  const [prefix, count] = [...counts].reduce((best, row) => (row[1] > best[1] ? row : best));
  return count > 5 ? prefix : 'model.';
}

/**
 * The family of the diffusion model in `model` (its keys without prefix), which lies in `file`.
 * Throws FAMILY_UNKNOWN, saying what the file seems to be, when no family accepts it.
 */
export async function detectFamily(
  families: readonly Family[],
  { model, file, read }: { model: WeightSource; file: WeightSource; read: ReadValues },
): Promise<Detected> {
  const cursors = { model: openWeights(model), file: openWeights(file) };
  const values = (from: Weights, key: string) => read(from.ledger.source, key);
  const candidate = { ...cursors, values };
  for (const family of families) {
    const config = family.detect(candidate);
    if (config === undefined) continue;
    const sampling = await family.sampling(candidate, config);
    return { family, config, sampling, extraChannels: family.extraChannels(config, sampling) };
  }
  throw new NoodleError('FAMILY_UNKNOWN', {
    file: file.label,
    reason: refusal(families, cursors.model, file),
  });
}

function refusal(families: readonly Family[], model: Weights, file: WeightSource): string {
  const foreign = foreignModel(model);
  const supported = families.map(({ title }) => title).join(', ');
  if (foreign !== undefined) return `it seems to be ${foreign}; supported are ${supported}`;
  const other = otherKind(file.tensors.keys());
  if (other !== undefined) return `it holds no diffusion model but seems to be ${other}`;
  return `none of its ${file.tensors.size} keys is known; supported are ${supported}`;
}

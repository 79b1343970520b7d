/** Reading adapter files: tensors grouped by the weight they belong to, and told by kind. */
import type { NDArray } from '../../array/nd.ts';
import { readFloats } from '../../weights/read.ts';
import type { WeightEntry, WeightSource } from '../../weights/source.ts';
import { type AdapterKind, type AdapterParts, adapterKinds, commonParts } from './kinds.ts';

/** What a file holds for one weight. */
export interface AdapterEntry {
  /** The file's name of the weight, without suffix. */
  readonly name: string;
  /** Undefined where it only changes the bias. */
  readonly kind: AdapterKind | undefined;
  /** Tensors by part (`up`, `down`, `alpha` …), as f32. */
  readonly parts: AdapterParts;
}

/** suffix -> part, longest suffix first, so that `.lora_B.default.weight` is not read as `.weight`. */
const suffixes = [...new Set([commonParts, ...adapterKinds.map(({ parts }) => parts)])]
  .flatMap((parts) =>
    Object.entries(parts).flatMap(([part, spelled]) =>
      spelled.map((suffix, rank) => ({ suffix, part, rank })),
    ),
  )
  .sort((a, b) => b.suffix.length - a.suffix.length);

/**
 * All entries of a file, in its order; of several kinds for one weight the later in the list of kinds
 * counts. `unknown` are tensors of no known form.
 */
export async function readAdapters(
  source: WeightSource,
): Promise<{ readonly entries: AdapterEntry[]; readonly unknown: string[] }> {
  const groups = new Map<string, Map<string, { rank: number; entry: WeightEntry }>>();
  const unknown: string[] = [];
  for (const [key, entry] of source.tensors) {
    const match = suffixes.find(({ suffix }) => key.endsWith(suffix));
    if (!match) {
      unknown.push(key);
      continue;
    }
    const name = key.slice(0, -match.suffix.length);
    const group = groups.get(name) ?? new Map<string, { rank: number; entry: WeightEntry }>();
    groups.set(name, group);
    const known = group.get(match.part);
    if (!known || match.rank < known.rank) group.set(match.part, { rank: match.rank, entry });
  }
  const entries: AdapterEntry[] = [];
  for (const [name, group] of groups) {
    const kind = adapterKinds.findLast(({ needs }) =>
      needs.every((choices) => choices.some((part) => group.has(part))),
    );
    if (!kind && !group.has('bias')) {
      unknown.push(name);
      continue;
    }
    const parts: Record<string, NDArray> = {};
    for (const [part, { entry }] of group) {
      if (part in commonParts || (kind && part in kind.parts)) {
        parts[part] = { data: await readFloats(entry), shape: entry.shape };
      }
    }
    entries.push({ name, kind, parts });
  }
  return { entries, unknown };
}

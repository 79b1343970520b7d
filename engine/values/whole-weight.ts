/** Weights with the patches of their network in them. */
import { type NetworkPatch, feedsOf } from '../patch/patch.ts';
import { openSession } from '../runtime/session.ts';
import { mul } from '../tensor/nn.ts';
import { trace } from '../tensor/trace.ts';
import { type StorageDtype, storageDtypes, storageOf } from '../weights/dtypes.ts';
import { readFloats } from '../weights/read.ts';
import type { WeightEntry } from '../weights/source.ts';
import type { Weighted } from './network.ts';

/** The patches that change a parameter, in their order. */
export const patchesOf = ({ patches }: Pick<Weighted, 'patches'>, key: string): NetworkPatch[] =>
  patches.filter((patch) => patch.keys?.has(key));

/** The f32 numbers of a parameter with everything that patches do to it. */
export async function wholeWeight(network: Weighted, key: string): Promise<Float32Array> {
  const entry = network.source.tensors.get(key)!;
  const stored = await readFloats(entry);
  const patches = patchesOf(network, key);
  if (patches.length === 0) return stored;
  const program = trace(`weight ${key}`, { ...network.source, tensors: new Map() }, ({ input }) => {
    // a patch may leave it as it is, and an output is never an input
    let value = mul(input('weight', 'f32', entry.shape), 1);
    for (const patch of patches) value = patch.change?.(key, value) ?? value;
    return { out: value };
  });
  const session = await openSession(program);
  try {
    const weight = { data: stored, shape: entry.shape };
    const { out } = await session.run({ ...(await feedsOf(patches, { rows: 1 })), weight });
    return out.data;
  } finally {
    await session.release();
  }
}

/** The type that a weight is saved as: the one it was stored as, halves where that is not a type by itself. */
export function savedDtype(entry: WeightEntry): StorageDtype {
  if (entry.bytes.kind === 'computed') return entry.bytes.savedAs;
  return isQuantised(entry) ? 'F16' : storageOf(entry).storage;
}

/** Whether a weight's numbers are told by more than its own bytes one by one: in blocks, with scales, in parts unlike. */
export const isQuantised = (entry: WeightEntry): boolean =>
  entry.bytes.kind === 'parts'
    ? entry.bytes.parts.some((part) => isQuantised(part) || part.dtype !== entry.dtype)
    : entry.scales !== undefined || storageDtypes[storageOf(entry).storage].block > 1;

/** Whether a weight holds numbers that can be mixed: not ids, not a type that nothing reads. */
export const isFloat = ({ dtype, scales }: WeightEntry): boolean =>
  Object.hasOwn(storageDtypes, dtype) &&
  (scales !== undefined || storageDtypes[dtype as StorageDtype].kind !== 'integer');

/** Writing adapter files: rounded to the type they are saved in, with the hashes that tools look for, at once. */
import { createHash } from 'node:crypto';
import type { NDArray } from '../../array/nd.ts';
import { NoodleError } from '../../errors.ts';
import { writeFileAtomic } from '../../store/write.ts';
import { encodeSafetensors, floatTensor } from '../../weights/write.ts';

/** Types of saved numbers by the names that job files have for them. */
const savedTypes = {
  float32: 'F32',
  fp32: 'F32',
  float: 'F32',
  float16: 'F16',
  fp16: 'F16',
  half: 'F16',
  bfloat16: 'BF16',
  bf16: 'BF16',
} as const;

export type SavedType = (typeof savedTypes)[keyof typeof savedTypes];

/** The type of this name. Throws BAD_INPUT for one that adapters are not saved in; `subject` names the setting. */
export function savedType(name: string, subject: string): SavedType {
  if (Object.hasOwn(savedTypes, name)) return savedTypes[name as keyof typeof savedTypes];
  const expected = `one of ${Object.keys(savedTypes).join(', ')}`;
  throw new NoodleError('BAD_INPUT', { subject, expected, got: name });
}

/**
 * The bytes of an adapter file. Beside the metadata given it has `sshs_model_hash` (SHA-256 of all behind the
 * header), `sshs_legacy_hash` (the first 8 digits of that of 64 KiB at 1 MiB of the file), and where a model
 * specification is given its `modelspec.hash_sha256`.
 */
export function encodeAdapter(
  tensors: ReadonlyMap<string, NDArray>,
  metadata: Readonly<Record<string, string>>,
  type: SavedType,
): Uint8Array {
  const rounded = new Map(
    [...tensors].map(([name, { data, shape }]) => [name, floatTensor(data, shape, type)]),
  );
  const hashed = createHash('sha256');
  for (const { bytes } of rounded.values()) hashed.update(bytes);
  const hash = hashed.digest('hex');
  const isSpecified = 'modelspec.sai_model_spec' in metadata;
  const told = (legacy: string): Record<string, string> => ({
    ...metadata,
    ...(isSpecified && { 'modelspec.hash_sha256': `0x${hash}` }),
    sshs_model_hash: hash,
    sshs_legacy_hash: legacy,
  });
  // as long as the hash, so that nothing behind it moves
  const draft = encodeSafetensors(rounded, told('0'.repeat(8)));
  const part = draft.subarray(mebibyte, mebibyte + mebibyte / 16);
  const legacy = createHash('sha256').update(part).digest('hex').slice(0, 8);
  return encodeSafetensors(rounded, told(legacy));
}

const mebibyte = 2 ** 20;

/** Writes an adapter file, whole or not at all. File system errors pass through. */
export function writeAdapter(
  path: string,
  tensors: ReadonlyMap<string, NDArray>,
  metadata: Readonly<Record<string, string>>,
  type: SavedType,
): void {
  writeFileAtomic(path, encodeAdapter(tensors, metadata, type));
}

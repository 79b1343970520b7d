/**
 * Files of weights in four bits as bitsandbytes saves them: two codes a byte, the first in the upper bits; for
 * each block the largest magnitude (`absmax`), plain or in eight bits with blocks and an offset of its own; and a
 * description in JSON. Numbers are code times magnitude in f32, where bitsandbytes rounds them to the type that
 * the description names.
 */
import { NoodleError } from '../errors.ts';
import { dynamicLevels, fp4Levels, nf4Levels } from './code-tables.ts';
import { readBytes, readFloats } from './read.ts';
import type { Scales, WeightEntry, WeightSource } from './source.ts';

const description = /\.quant_state\.bitsandbytes__(?:nf4|fp4)$/;
const parts = ['absmax', 'quant_map', 'nested_absmax', 'nested_quant_map'] as const;

/** Types by the names in descriptions. */
const types = {
  nf4: { dtype: 'NF4', levels: nf4Levels },
  fp4: { dtype: 'FP4', levels: fp4Levels },
} as const;

/** What a description says, as far as it is read. */
interface Description {
  readonly quant_type?: unknown;
  readonly blocksize?: unknown;
  readonly shape?: unknown;
  readonly nested_blocksize?: unknown;
  readonly nested_offset?: unknown;
}

/**
 * The source as it is meant to be read; itself where nothing in it is of these types. Throws UNSUPPORTED for
 * descriptions that fit no weight, WEIGHTS_MISSING for parts that are not there.
 */
export async function bitsandbytesSource<S extends WeightSource>(source: S): Promise<S> {
  const described = [...source.tensors.keys()].filter((key) => description.test(key));
  if (described.length === 0) return source;
  const tensors = new Map(source.tensors);
  for (const key of described) {
    const weight = key.replace(description, '');
    tensors.set(weight, await weightOf(source, weight, key));
    tensors.delete(key);
    for (const part of parts) tensors.delete(`${weight}.${part}`);
  }
  return { ...source, tensors };
}

async function weightOf(source: WeightSource, key: string, state: string): Promise<WeightEntry> {
  const refuse = (reason: string): NoodleError =>
    new NoodleError('UNSUPPORTED', { what: `${source.label}: '${key}': ${reason}` });
  const need = (name: string): WeightEntry => {
    const entry = source.tensors.get(name);
    if (!entry) throw new NoodleError('WEIGHTS_MISSING', { file: source.label, key: name });
    return entry;
  };
  const weight = need(key);
  const stated = parsed(Buffer.from(await readBytes(need(state))).toString('utf8'));
  const { quant_type: type, shape, blocksize } = stated;
  if (!isKnown(type)) throw refuse(`codes of type ${JSON.stringify(type)}`);
  if (!isShape(shape) || !isSize(blocksize))
    throw refuse(`shape ${JSON.stringify(shape)} in blocks of ${JSON.stringify(blocksize)}`);
  const count = shape.reduce((n, size) => n * size, 1);
  if (count % 2 !== 0 || weight.byteLength !== count / 2)
    throw refuse(`${weight.byteLength} bytes are not [${shape.join(', ')}] in four bits`);
  const { dtype, levels } = types[type];
  const check = async (name: string, expected: Float32Array): Promise<void> => {
    const map = await readFloats(need(name));
    const same = map.length === expected.length && map.every((v, i) => isNear(v, expected[i]));
    if (!same) throw refuse(`codes stand for other numbers than usual ('${name}')`);
  };
  await check(`${key}.quant_map`, levels);
  const magnitudes = need(`${key}.absmax`);
  const blocks = Math.ceil(count / blocksize);
  if (sizeOf(magnitudes) !== blocks)
    throw refuse(`${sizeOf(magnitudes)} magnitudes for ${blocks} blocks`);
  const inRow = count / shape[0] / blocksize;
  const by = { ...magnitudes, shape: Number.isInteger(inRow) ? [shape[0], inRow] : [blocks] };
  const { nested_blocksize: over, nested_offset: plus } = stated;
  if (!source.tensors.has(`${key}.nested_absmax`)) {
    if (magnitudes.dtype !== 'F32') throw refuse(`magnitudes of type ${magnitudes.dtype}`);
    return { ...weight, dtype, shape, scales: { by, over: blocksize } };
  }
  const largest = need(`${key}.nested_absmax`);
  if (magnitudes.dtype !== 'U8' || !isSize(over) || typeof plus !== 'number')
    throw refuse(`magnitudes of type ${magnitudes.dtype} in blocks of ${JSON.stringify(over)}`);
  if (largest.dtype !== 'F32' || sizeOf(largest) !== Math.ceil(blocks / over))
    throw refuse(`${sizeOf(largest)} magnitudes of ${blocks} in blocks of ${over}`);
  await check(`${key}.nested_quant_map`, dynamicLevels);
  const nested: Scales = { by: largest, over, plus };
  return {
    ...weight,
    dtype,
    shape,
    scales: { by: { ...by, dtype: 'DYNAMIC8', scales: nested }, over: blocksize },
  };
}

function parsed(text: string): Description {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

const isKnown = (type: unknown): type is keyof typeof types =>
  typeof type === 'string' && Object.hasOwn(types, type);

const isSize = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) > 0;

const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every(isSize);

const sizeOf = ({ shape }: WeightEntry): number => shape.reduce((n, size) => n * size, 1);

const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.abs(b);

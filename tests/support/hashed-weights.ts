/**
 * Numbers that a reference program can make too without a file: a hash of a name and of each place. Cases made so
 * hold shapes and results only.
 */
import { writeFileSync } from 'node:fs';
import { roundHalfEven } from '../../engine/array/round.ts';
import { type WeightSource, memorySource } from '../../engine/weights/source.ts';
import { encodeFloats, encodeSafetensors, floatTensor } from '../../engine/weights/write.ts';

export type Shapes = Readonly<Record<string, readonly number[]>>;

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, n) => size * n, 1);

/** FNV-1a of an ASCII name. */
function nameHash(name: string): number {
  let hash = 2166136261;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16777619) >>> 0;
  return hash;
}

/** Numbers in -0.5..0.5 with 24 bits each. */
export function unitNumbers(name: string, shape: readonly number[]): Float32Array {
  const start = nameHash(name);
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    let x = (Math.imul(i, 2654435761) + start) >>> 0;
    x = Math.imul(x ^ (x >>> 15), 2246822519) >>> 0;
    x = Math.imul(x ^ (x >>> 13), 3266489917) >>> 0;
    x = (x ^ (x >>> 16)) >>> 0;
    return (x >>> 8) / 2 ** 24 - 0.5;
  });
}

/** The numbers of a weight: small for what sums up many inputs, about 1 for a norm's factors. */
export function weightNumbers(key: string, name: string, shape: readonly number[]): Float32Array {
  const isFactor = /norm/.test(key) && !/bias$/.test(key) && !/linear|\blin\b/.test(key);
  if (shape.length === 1) {
    return unitNumbers(name, shape).map((u) => Math.fround(u * 0.25) + (isFactor ? 1 : 0));
  }
  const scale = 2 ** (1 - roundHalfEven(Math.log2(sizeOf(shape.slice(1))) / 2));
  return unitNumbers(name, shape).map((u) => u * scale);
}

/** Weights of these shapes; `prefix` tells two networks of a case apart. */
export const hashedSource = (prefix: string, shapes: Shapes): WeightSource =>
  memorySource(
    prefix,
    prefix,
    Object.entries(shapes).map(([key, shape]) => {
      const bytes = encodeFloats(weightNumbers(key, prefix + key, shape), 'F32');
      return [key, { dtype: 'F32' as const, shape, bytes }];
    }),
  );

/** The file at `path` with weights of these shapes under the prefix `net.`, and tensors besides. */
export function writeHashed(
  path: string,
  shapes: Shapes,
  more: Readonly<Record<string, ReturnType<typeof floatTensor>>> = {},
): string {
  const made = Object.entries(shapes).map(
    ([key, shape]) => [key, floatTensor(weightNumbers(key, `net.${key}`, shape), shape)] as const,
  );
  writeFileSync(path, encodeSafetensors(new Map([...made, ...Object.entries(more)])));
  return path;
}

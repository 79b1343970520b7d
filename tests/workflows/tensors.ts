/** Tensors that stand-ins are made of. */
import { join } from 'node:path';
import { type NDArray, sizeOf } from '../../engine/array/nd.ts';
import { openSource } from '../../engine/weights/open.ts';
import { readFloats } from '../../engine/weights/read.ts';
import { gunzipped } from '../golden/open-case.ts';
import { goldenDir } from '../support/golden.ts';
import { randomFloats } from '../support/random-weights.ts';

export type Tensors = ReadonlyMap<string, NDArray>;

/** All tensors of a golden model, at `path` in its area. */
export async function goldenTensors(area: string, path: string): Promise<Tensors> {
  const { tensors } = await openSource(await gunzipped(join(goldenDir(area), path)));
  const arrays = new Map<string, NDArray>();
  for (const [key, entry] of tensors) {
    arrays.set(key, { data: await readFloats(entry), shape: entry.shape });
  }
  return arrays;
}

/** Those whose key begins with `prefix`, under `instead` of it. */
export const under = <T>(
  tensors: ReadonlyMap<string, T>,
  prefix: string,
  instead = prefix,
): [string, T][] =>
  [...tensors].flatMap(([key, value]): [string, T][] =>
    key.startsWith(prefix) ? [[instead + key.slice(prefix.length), value]] : [],
  );

/** As many random numbers as are made; in what is larger they come again. */
const MOST = 2 ** 18;

/** Small numbers around 0, of the size that layers of this many inputs want. */
export function random(shape: readonly number[], seed: number, scale = 1): NDArray {
  const inputs = shape.slice(1).reduce((n, dim) => n * dim, 1);
  const size = sizeOf(shape);
  const few = randomFloats(Math.min(size, MOST), seed).map((v) => (v * scale) / Math.sqrt(inputs));
  if (few.length === size) return { data: few, shape };
  const data = new Float32Array(size);
  for (let at = 0; at < size; at += MOST) data.set(few.subarray(0, size - at), at);
  return { data, shape };
}

/** Random tensors of these shapes: layers as they want them, norms around 1, biases around 0. */
export function randomLayers(shapes: Iterable<readonly [string, readonly number[]]>): Tensors {
  return new Map(
    [...shapes].map(([key, shape], i) => {
      if (shape.length !== 1) return [key, random(shape, i + 1, 1.5)];
      const middle = /bias$/.test(key) ? 0 : 1;
      return [key, { shape, data: random(shape, i + 1, 0.1).data.map((v) => middle + v) }];
    }),
  );
}

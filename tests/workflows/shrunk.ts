/** A released model made small: its own keys, fewer blocks, narrower layers, random numbers. */
import { type Manifest, readManifest } from '../support/manifest.ts';
import { type Tensors, randomLayers } from './tensors.ts';

interface Released extends Manifest {
  readonly prefix: string;
}

/** Which widths become which. */
export interface Widths {
  /** Width of the network and what it becomes; multiples of it shrink alike. */
  readonly width: readonly [released: number, small: number];
  /** What other widths become; those that are not here stay. */
  readonly others: Readonly<Record<number, number>>;
}

interface Shrinking extends Widths {
  /** How many blocks of a name stay, where not two. */
  readonly blocks?: Readonly<Record<string, number>>;
  /** Shapes that widths do not tell, by key without prefix. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** In front of every key, instead of what the release has there. */
  readonly prefix?: string;
}

const BLOCKS = 2;

/** The model of a manifest with few blocks of each kind: the first ones and the last. */
export function shrunk(
  name: string,
  { width, others, blocks = {}, shapes: told = {}, prefix = '' }: Shrinking,
): Tensors {
  const manifest = readReleased(name);
  const counts = blockCounts(manifest);
  const shapes: [string, readonly number[]][] = [];
  for (const [pattern, shape, numbers] of manifest.keys) {
    const own = pattern.slice(manifest.prefix.length);
    const key = prefix + own;
    const small = told[own] ?? otherWidths(shape, { width, others });
    if (numbers === undefined) shapes.push([key, small]);
    else {
      const name = front(own);
      const kept = new Set(
        numbersOf(numbers).map((n) => place(n, counts.get(name), blocks[name] ?? BLOCKS)),
      );
      kept.delete(undefined);
      for (const n of kept) shapes.push([key.replace('*', String(n)), small]);
    }
  }
  return randomLayers(shapes);
}

/** A shape in other widths. */
export function otherWidths(
  shape: readonly number[],
  { width: [before, after], others }: Widths,
): readonly number[] {
  return shape.map((dim) => others[dim] ?? (dim % before === 0 ? (dim / before) * after : dim));
}

/** Manifests of files that are only a diffusion model have no prefix. */
function readReleased(name: string): Released {
  const manifest = readManifest(name);
  if (!manifest) throw new Error(`there is no manifest of '${name}'`);
  return { ...manifest, prefix: manifest.prefix ?? '' };
}

const front = (pattern: string): string => pattern.slice(0, pattern.indexOf('*'));

const numbersOf = (numbers: NonNullable<Manifest['keys'][number][2]>): readonly number[] =>
  Array.isArray(numbers)
    ? Array.from({ length: numbers[1] - numbers[0] + 1 }, (_, i) => numbers[0] + i)
    : numbers.list;

/** How many blocks stand below each name; numbers with gaps between them are no blocks. */
function blockCounts({ keys, prefix }: Released): ReadonlyMap<string, number> {
  const found = new Map<string, Set<number>>();
  for (const [pattern, , numbers] of keys) {
    if (numbers === undefined) continue;
    const name = front(pattern).slice(prefix.length);
    const known = found.get(name) ?? new Set();
    for (const n of numbersOf(numbers)) known.add(n);
    found.set(name, known);
  }
  const blocks = [...found].filter(([, known]) => Math.max(...known) === known.size - 1);
  return new Map(blocks.map(([name, known]) => [name, known.size]));
}

/** Where a block of `count` stands among `kept`: the first ones and the last stay; undefined for others. */
function place(n: number, count: number | undefined, kept: number): number | undefined {
  if (count === undefined || count <= kept || n < kept - 1) return n;
  return n === count - 1 ? kept - 1 : undefined;
}

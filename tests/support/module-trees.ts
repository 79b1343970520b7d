/** Modules of a tiny network of every family, in the order of ComfyUI's module trees (its `named_modules`). */
import { readFileSync } from 'node:fs';
import type { WeightSource } from '../../engine/weights/source.ts';
import { sourceOfShapes } from './manifest.ts';

/** Dotted name, shape of the weight, and 1 where there is a bias. */
export type TreeModule = readonly [name: string, shape: readonly number[], bias?: 1];

const file = new URL('../fixtures/module-trees.json', import.meta.url);

export const moduleTrees = JSON.parse(readFileSync(file, 'utf8')) as Readonly<
  Record<string, readonly TreeModule[]>
>;

/** The weights of such a network, without their numbers, their keys in another order than the tree's. */
export function treeSource(modules: readonly TreeModule[]): WeightSource {
  const shapes = modules.flatMap(([name, shape, bias]): [string, readonly number[]][] => [
    ...(bias ? [[`${name}.bias`, [shape[0]]] as [string, number[]]] : []),
    [`${name}.weight`, shape],
  ]);
  return sourceOfShapes(
    'module tree',
    shapes.sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

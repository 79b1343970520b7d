import { readableName } from '../../engine/workflow/readable-name.ts';
import type { FoundNode } from '../graph/search.ts';

/** A category of nodes with those below it. */
export interface Category {
  /** As classes name it: `advanced/loaders`. */
  readonly path: string;
  /** The last part, readable. */
  readonly name: string;
  readonly children: readonly Category[];
  readonly nodes: readonly FoundNode[];
  /** How many nodes it and those below it have. */
  readonly count: number;
}

interface Growing {
  readonly children: Map<string, Growing>;
  readonly nodes: FoundNode[];
}

/** Nodes by category, both in the order of the alphabet; categories that begin with `_` come last. */
export function categoryTree(nodes: readonly FoundNode[]): readonly Category[] {
  const root: Growing = { children: new Map(), nodes: [] };
  for (const node of nodes) {
    let at = root;
    for (const part of node.category.split('/').filter(Boolean)) {
      const next = at.children.get(part) ?? { children: new Map(), nodes: [] };
      at.children.set(part, next);
      at = next;
    }
    at.nodes.push(node);
  }
  return finished(root, '');
}

function finished({ children }: Growing, path: string): Category[] {
  return [...children]
    .map(([part, own]): Category => {
      const below = finished(own, `${path}${part}/`);
      const nodes = own.nodes.toSorted((a, b) => a.title.localeCompare(b.title));
      const count = below.reduce((sum, each) => sum + each.count, nodes.length);
      return { path: path + part, name: categoryName(part), children: below, nodes, count };
    })
    .sort(
      (a, b) => Number(isAside(a.path)) - Number(isAside(b.path)) || a.name.localeCompare(b.name),
    );
}

const isAside = (path: string): boolean => path.startsWith('_');

/** One part of a category's path for people: `_for_testing` is "For testing". */
export const categoryName = (part: string): string => readableName(part.replace(/^_+/, ''));

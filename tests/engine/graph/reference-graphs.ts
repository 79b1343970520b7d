/** Pieces of the graphs of ComfyUI's execution tests, and the cache modes that each is run with. */
import type { CacheMode } from '../../../engine/graph/caches.ts';
import type { BuiltNode } from '../../../engine/graph/graph-builder.ts';
import type { GraphBuilder } from '../../../engine/node.ts';

export const SIZE = { height: 16, width: 16, batch_size: 1 };

export const stub = (g: GraphBuilder, content: string, id?: string): BuiltNode =>
  g.node('StubImage', { content, ...SIZE }, id);
export const maskOf = (g: GraphBuilder, value: unknown): BuiltNode =>
  g.node('StubMask', { value, ...SIZE });
export const save = (g: GraphBuilder, images: unknown): BuiltNode =>
  g.node('SaveImage', { images, filename_prefix: 'test' });

export const MODES: readonly CacheMode[] = [
  { kind: 'ram' },
  { kind: 'classic' },
  { kind: 'lru', size: 100 },
  { kind: 'none' },
];

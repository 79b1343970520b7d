import type { LGraphNode } from '@comfyorg/litegraph';
import { NoodleNode } from './node.ts';
import { colorOfName, colorOfType } from './theme.ts';

/** Categories of nodes and the socket type that stands for each: one colour tells both. */
const typeOfCategory: readonly (readonly [start: string, type: string])[] = [
  ['loaders', 'MODEL'],
  ['advanced/loaders', 'MODEL'],
  ['advanced/model', 'MODEL'],
  ['model', 'MODEL'],
  ['conditioning', 'CONDITIONING'],
  ['advanced/conditioning', 'CONDITIONING'],
  ['sampling', 'SAMPLER'],
  ['latent', 'LATENT'],
  ['image', 'IMAGE'],
  ['mask', 'MASK'],
  ['audio', 'AUDIO'],
  ['video', 'VIDEO'],
  ['utils/primitive', 'INT'],
  ['utils', 'STRING'],
];

const colors = new Map<string, string>();
let theme = '';

/** The colour of a category of nodes: its row's, else one of its first word. */
export function colorOfCategory(category: string): string {
  const now = colorOfType('IMAGE');
  if (now !== theme) colors.clear();
  theme = now;
  let color = colors.get(category);
  if (color === undefined) {
    const row = typeOfCategory.find(([start]) => `${category}/`.startsWith(`${start}/`));
    color = row === undefined ? colorOfName(category.split('/')[0]) : colorOfType(row[1]);
    colors.set(category, color);
  }
  return color;
}

/** The category of a node on the canvas, '' where its class has none. */
export const categoryOf = (node: LGraphNode): string =>
  (node instanceof NoodleNode ? node.info?.category : undefined) ?? '';

import { LiteGraph } from '@comfyorg/litegraph';
import type { NodeInfo, ObjectInfo } from '../api/types.ts';
import { inputSpecs } from './input-spec.ts';
import { virtualNodeTypes } from './virtual-nodes.ts';

export interface FoundNode {
  readonly type: string;
  readonly title: string;
  readonly category: string;
  readonly mark: 'deprecated' | 'experimental' | null;
}

/** A socket that wanted nodes must fit: nodes with an input (or output) that takes this type. */
export interface SlotFilter {
  readonly type: string;
  readonly side: 'input' | 'output';
}

/** Ranks nodes for what was typed: whole-word and prefix hits first, category hits last. */
export function searchNodes(
  objectInfo: ObjectInfo,
  text: string,
  accepts?: SlotFilter,
  limit = 80,
): FoundNode[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const scored: { node: FoundNode; score: number }[] = [];
  for (const info of Object.values(objectInfo)) {
    if (accepts !== undefined && !fits(info, accepts)) continue;
    const node = foundNode(info);
    const score = rank(info, node, words);
    // The core set is what people mean most of the time.
    const known = info.python_module === 'nodes' ? 8 : 0;
    const worth = node.mark === 'deprecated' ? score / 4 : score + known;
    if (score > 0) scored.push({ node, score: worth });
  }
  if (accepts === undefined) {
    for (const type of virtualNodeTypes) {
      const node: FoundNode = { type, title: type, category: 'editor', mark: null };
      const score = rank(null, node, words);
      if (score > 0) scored.push({ node, score });
    }
  }
  return scored
    .sort((a, b) => b.score - a.score || a.node.title.localeCompare(b.node.title))
    .slice(0, limit)
    .map(({ node }) => node);
}

export function foundNode(info: NodeInfo): FoundNode {
  return {
    type: info.name,
    title: info.display_name || info.name,
    category: info.category,
    mark: info.deprecated ? 'deprecated' : info.experimental ? 'experimental' : null,
  };
}

function rank(info: NodeInfo | null, node: FoundNode, words: readonly string[]): number {
  if (words.length === 0) return 1;
  const title = node.title.toLowerCase();
  const type = node.type.toLowerCase();
  const aliases = (info?.search_aliases ?? []).join(' ').toLowerCase();
  const category = node.category.toLowerCase();
  let score = 0;
  for (const word of words) {
    const gain =
      title === word || type === word
        ? 100
        : title.startsWith(word) || type.startsWith(word)
          ? 50
          : new RegExp(`\\b${word.replace(/[^\w]/g, '\\$&')}`).test(title)
            ? 35
            : title.includes(word) || type.includes(word)
              ? 25
              : aliases.includes(word)
                ? 15
                : category.includes(word)
                  ? 6
                  : 0;
    if (gain === 0) return 0;
    score += gain;
  }
  return score - title.length / 100;
}

function fits(info: NodeInfo, { type, side }: SlotFilter): boolean {
  const slots =
    side === 'output'
      ? info.output.map((t) => (typeof t === 'string' ? t : 'COMBO'))
      : inputSpecs(info).map((s) => s.type);
  return slots.some((slot) => LiteGraph.isValidConnection(slot, type));
}

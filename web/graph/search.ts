import { LiteGraph } from '@comfyorg/litegraph';
import type { NodeInfo, ObjectInfo } from '../api/types.ts';
import { scoreOf, scoreOfAll, typedWords, wordsOf } from '../fuzzy.ts';
import { essentials } from './essential-nodes.ts';
import { inputSpecs } from './input-spec.ts';
import { recentTypes, useBonus } from './used-nodes.ts';

export interface FoundNode {
  readonly type: string;
  readonly title: string;
  readonly category: string;
  readonly mark: 'deprecated' | 'experimental' | null;
  /** Added lately: shown first while nothing is typed. */
  readonly recent?: boolean;
}

/** Sockets that wanted nodes must fit. */
export interface SlotFilter {
  /** The type of the link that was dropped. */
  readonly type: string;
  /** The side of the new node that takes it; 'both': the node goes into the link. */
  readonly side: 'input' | 'output' | 'both';
}

/** Nodes of the editor itself, which the server knows nothing of. */
const ownNodes: readonly FoundNode[] = [
  ['Reroute', 'Reroute', 'utils'],
  ['PrimitiveNode', 'Primitive', 'utils'],
  ['Note', 'Note', 'utils'],
  ['MarkdownNote', 'Markdown note', 'utils'],
].map(([type, title, category]) => ({ type, title, category, mark: null }));

const recentCount = 6;

/** Ranks nodes for what was typed; with nothing typed those added lately come first. */
export function searchNodes(
  objectInfo: ObjectInfo,
  text: string,
  accepts?: SlotFilter,
  limit = 80,
): FoundNode[] {
  const words = typedWords(text);
  const recent = words.length === 0 ? recentTypes(recentCount) : [];
  const scored: { node: FoundNode; score: number }[] = [];
  const add = (node: FoundNode, score: number): void => {
    if (score <= 0) return;
    const place = recent.indexOf(node.type);
    const worth = score + useBonus(node.type);
    if (place < 0) scored.push({ node, score: worth });
    else scored.push({ node: { ...node, recent: true }, score: 1000 - place });
  };
  for (const info of Object.values(objectInfo)) {
    if (accepts !== undefined && !fits(info, accepts)) continue;
    const node = foundNode(info);
    const score = rank(node, words, info.search_aliases ?? []);
    const known = score > 0 ? standing(info) : 0;
    add(node, node.mark === 'deprecated' ? score / 4 : score + known);
  }
  for (const node of ownNodes) {
    if (accepts === undefined || ownNodeFits(node.type, accepts)) add(node, rank(node, words, []));
  }
  return scored
    .sort((a, b) => b.score - a.score || a.node.title.localeCompare(b.node.title))
    .slice(0, limit)
    .map(({ node }) => node);
}

/** The core set is what people mean most of the time, and of it what every picture is made of. */
const standing = ({ name, python_module }: NodeInfo): number =>
  (python_module === 'nodes' ? 8 : 0) + (essentials.includes(name) ? 24 : 0);

export function foundNode(info: NodeInfo): FoundNode {
  return {
    type: info.name,
    title: info.display_name || info.name,
    category: info.category,
    mark: info.deprecated ? 'deprecated' : info.experimental ? 'experimental' : null,
  };
}

/** Every word must be answered; what answers it in the title counts most. */
function rank(node: FoundNode, words: readonly string[], aliases: readonly string[]): number {
  if (words.length === 0) return 1;
  const title = node.title.toLowerCase();
  const names = [node.type.toLowerCase(), wordsOf(node.type)];
  const others = aliases.join(' ').toLowerCase();
  const category = node.category.toLowerCase();
  const score = scoreOfAll(words, (word) => {
    // What stands on the node is what people read and remember.
    const byClass = Math.max(...names.map((name) => scoreOf(name, word)));
    const named = Math.max(scoreOf(title, word), 0.65 * byClass);
    return Math.max(named, others.includes(word) ? 16 : 0, category.includes(word) ? 7 : 0);
  });
  return score === null ? 0 : score - title.length / 100;
}

function fits(info: NodeInfo, { type, side }: SlotFilter): boolean {
  const takes = (slots: readonly string[]): boolean =>
    slots.some((slot) => LiteGraph.isValidConnection(slot, type));
  const inputs = (): boolean => takes(inputSpecs(info).map((s) => s.type));
  const outputs = (): boolean =>
    takes(info.output.map((t) => (typeof t === 'string' ? t : 'COMBO')));
  if (side === 'both') return inputs() && outputs();
  return side === 'output' ? outputs() : inputs();
}

const valueTypes = ['INT', 'FLOAT', 'STRING', 'BOOLEAN', 'COMBO'];

function ownNodeFits(type: string, { type: link, side }: SlotFilter): boolean {
  if (type === 'Reroute') return true;
  return type === 'PrimitiveNode' && side === 'output' && valueTypes.includes(link);
}

import type { LGraphNode } from '@comfyorg/litegraph';

/** Nodes that are taller than their user made them, to show a picture or a text. */
const grown = new WeakMap<LGraphNode, { readonly before: number; readonly now: number }>();

/** Makes room for all widgets of a node; remembers the height it had without them. */
export function growToShow(node: LGraphNode): void {
  const needed = node.computeSize();
  const before = ownHeight(node);
  node.setSize([Math.max(node.size[0], needed[0]), Math.max(node.size[1], needed[1])]);
  if (node.size[1] > before) grown.set(node, { before, now: node.size[1] });
}

/** Takes back the room made by growToShow, unless the user has resized the node since. */
export function shrinkBack(node: LGraphNode): void {
  node.setSize([node.size[0], ownHeight(node)]);
  grown.delete(node);
}

/**
 * The node's height without the room made for what it shows: this one is saved, for showing a
 * picture is no edit, and the picture makes its room again.
 */
export function ownHeight(node: LGraphNode): number {
  const record = grown.get(node);
  return record !== undefined && record.now === node.size[1] ? record.before : node.size[1];
}

/** Gives a node the size it takes when it is drawn: one too small for its fields grows. */
export function settleSize(node: LGraphNode): void {
  if (node.flags.collapsed) return;
  node._setConcreteSlots();
  node.arrange();
}

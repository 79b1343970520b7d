import { LGraphNode, Reroute, type LGraphCanvas, type LLink } from '@comfyorg/litegraph';
import { t } from '../locale/translate.ts';
import type { SearchCanvas } from './canvas-host.ts';

type Menu = Parameters<LGraphCanvas['showConnectionMenu']>[0];

/** A link was dropped on empty canvas: searches among the nodes that take it, and connects. */
export function searchAtLinkEnd(canvas: SearchCanvas, { e, ...ends }: Menu): void {
  const node = ends.nodeFrom ?? ends.nodeTo;
  const slot = ends.slotFrom ?? ends.slotTo;
  if (e === undefined || !(node instanceof LGraphNode)) return;
  if (typeof slot !== 'object' || slot === null) return;
  const [x, y] = canvas.convertEventToCanvasOffset(e);
  const fromOutput = ends.nodeFrom !== undefined && ends.nodeFrom !== null;
  canvas.host.search({
    x: e.clientX,
    y: e.clientY,
    accepts: { type: String(slot.type), side: fromOutput ? 'input' : 'output' },
    pick: (type) => {
      const made = canvas.addNode(type, [x, y]);
      if (made === null) return;
      const slots: readonly { name: string }[] = fromOutput ? node.outputs : node.inputs;
      const index = Math.max(
        0,
        slots.findIndex((other) => other === slot || other.name === slot.name),
      );
      const link = fromOutput
        ? node.connectByType(index, made, slot.type)
        : node.connectByTypeOutput(index, made, slot.type);
      // The end of the link stays where it was dropped: the node lies on the far side of it.
      if (link) bringSlotTo(made, link, [x, y]);
      canvas.setDirty(true, true);
      canvas.host.changed();
    },
  });
}

function bringSlotTo(node: LGraphNode, link: LLink, [x, y]: readonly [number, number]): void {
  const isTarget = link.target_id === node.id;
  const at = isTarget ? node.getInputPos(link.target_slot) : node.getOutputPos(link.origin_slot);
  node.pos = [node.pos[0] + x - at[0], node.pos[1] + y - at[1]];
}

type Segment = Parameters<LGraphCanvas['showLinkMenu']>[0];

/** The links that run through what was clicked: a link, or a knot that several may share. */
function linksOf(canvas: LGraphCanvas, segment: Segment): LLink[] {
  const ids = segment instanceof Reroute ? [...segment.linkIds] : [segment.id];
  return ids
    .map((id) => canvas.graph?.getLink(id))
    .filter((link): link is LLink => link !== undefined && link !== null);
}

/** Searches for a node that goes into a link, in its middle. */
export function searchForLink(canvas: SearchCanvas, segment: Segment, event: MouseEvent): void {
  const links = linksOf(canvas, segment);
  if (links.length === 0) return;
  const [x, y] = segment._pos;
  canvas.host.search({
    x: event.clientX,
    y: event.clientY,
    accepts: { type: String(links[0].type), side: 'both' },
    pick: (type) => {
      const made = canvas.addNode(type, [x, y]);
      if (made === null) return;
      made.pos = [x - made.size[0] / 2, y - made.size[1] / 2];
      spliceInto(canvas, links, made);
      canvas.setDirty(true, true);
      canvas.host.changed();
    },
  });
}

/** Connects a node between the two ends of links that come from one output. */
function spliceInto(canvas: LGraphCanvas, links: readonly LLink[], node: LGraphNode): void {
  const { graph } = canvas;
  const [{ origin_id: from, origin_slot: slot, type, parentId }] = links;
  const origin = graph?.getNodeById(from);
  if (!origin) return;
  const ends = links.map(({ target_id: id, target_slot: to }) => ({ id, to }));
  origin.connectByType(slot, node, type, { afterRerouteId: parentId });
  for (const { id, to } of ends) {
    const target = graph?.getNodeById(id);
    const output = node.findOutputByType(type)?.index ?? -1;
    if (target && output >= 0) node.connect(output, target, to);
  }
}

/** What can be done with a link, from the mark in its middle. */
export function linkMenu(canvas: SearchCanvas, segment: Segment, event: MouseEvent) {
  const done = (): void => {
    canvas.setDirty(true, true);
    canvas.host.changed();
  };
  return [
    { content: t('Add node'), callback: () => searchForLink(canvas, segment, event) },
    {
      content: t('Add reroute'),
      callback: () => {
        canvas.graph?.createReroute([segment._pos[0], segment._pos[1]], segment);
        done();
      },
    },
    null,
    {
      content: t('Delete'),
      callback: () => {
        for (const link of linksOf(canvas, segment)) canvas.graph?.removeLink(link.id);
        done();
      },
    },
  ];
}

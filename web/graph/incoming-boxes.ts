import type { LGraphNode } from '@comfyorg/litegraph';
import type { NodeOutput } from '../api/types.ts';
import { readBoxes } from './widgets/boxes-shape.ts';

/**
 * Boxes that came into a node in a run, and are others than those before, become its drawing: the
 * node then goes by what is drawn until others come. Returns whether it changed.
 */
export function takeIncomingBoxes(node: LGraphNode, { input_bboxes: boxes }: NodeOutput): boolean {
  const field = (name: string) => node.widgets?.find((widget) => widget.name === name);
  const [drawn, last] = [field('editor_state'), field('last_incoming')];
  if (drawn === undefined || last === undefined || !Array.isArray(boxes)) return false;
  if (JSON.stringify(last.value) === JSON.stringify(boxes)) return false;
  drawn.value = [...readBoxes(boxes)];
  last.value = structuredClone(boxes) as object;
  node.setDirtyCanvas(true);
  return true;
}

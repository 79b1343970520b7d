import type { LGraphNode } from '@comfyorg/litegraph';
import { palette } from './theme.ts';

/** What the page shows on a node while and after it runs. */
export interface NodeStatus {
  running: boolean;
  /** 0..1 while a progress bar is shown. */
  progress: number | null;
  error: boolean;
}

const statuses = new WeakMap<LGraphNode, NodeStatus>();

/** The (mutable) running state of a node. */
export function statusOf(node: LGraphNode): NodeStatus {
  let status = statuses.get(node);
  if (status === undefined) {
    status = { running: false, progress: null, error: false };
    statuses.set(node, status);
  }
  return status;
}

/** Adds the running and error outlines to a node; once per node. */
export function outlineStatus(node: LGraphNode): void {
  node.strokeStyles.status = function (this: LGraphNode) {
    const { running, error } = statusOf(this);
    if (error) return { color: palette.error, padding: 4, lineWidth: 3 };
    if (running) return { color: palette.running, padding: 4, lineWidth: 2 };
    return undefined;
  };
}

/** Draws the progress bar along the top of the node's body. */
export function drawProgress(node: LGraphNode, ctx: CanvasRenderingContext2D): void {
  const { progress } = statusOf(node);
  if (progress === null || node.flags.collapsed) return;
  ctx.save();
  ctx.fillStyle = 'rgba(0,0,0,0.4)';
  ctx.fillRect(0, 0, node.size[0], 4);
  ctx.fillStyle = palette.running;
  ctx.fillRect(0, 0, node.size[0] * Math.min(1, Math.max(0, progress)), 4);
  ctx.restore();
}

import type { LGraphCanvas } from '@comfyorg/litegraph';
import { palette } from './palette.ts';

/** The frame that selects what is in it: litegraph's own is white, which a light page does not show. */
export function drawSelectionBox(
  { dragging_rectangle, ds }: LGraphCanvas,
  ctx: CanvasRenderingContext2D,
): void {
  if (dragging_rectangle === null) return;
  const [x, y, width, height] = dragging_rectangle;
  ctx.save();
  ctx.globalAlpha = 0.1;
  ctx.fillStyle = palette.accent;
  ctx.fillRect(x, y, width, height);
  ctx.globalAlpha = 1;
  ctx.strokeStyle = palette.accent;
  ctx.lineWidth = 1.5 / ds.scale;
  ctx.strokeRect(x, y, width, height);
  ctx.restore();
}

import type { LGraphCanvas as Canvas } from '@comfyorg/litegraph';
import { palette } from './palette.ts';

/** Plain background with a grid of dots that thins out with the zoom; true = already painted. */
export function drawDots(
  canvas: Canvas,
  element: HTMLCanvasElement,
  ctx: CanvasRenderingContext2D,
): true {
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.fillStyle = palette.canvas;
  ctx.fillRect(0, 0, element.width, element.height);

  const ratio = window.devicePixelRatio;
  const { scale, offset } = canvas.ds;
  let gap = 20;
  while (gap * scale < 14) gap *= 4;
  const step = gap * scale * ratio;
  const radius = Math.max(0.6, Math.min(1.4, scale)) * ratio;
  const startX = (((offset[0] * scale * ratio) % step) + step) % step;
  const startY = (((offset[1] * scale * ratio) % step) + step) % step;
  ctx.fillStyle = palette.grid;
  ctx.beginPath();
  for (let x = startX; x < element.width; x += step) {
    for (let y = startY; y < element.height; y += step) {
      ctx.rect(x - radius, y - radius, radius * 2, radius * 2);
    }
  }
  ctx.fill();
  return true;
}

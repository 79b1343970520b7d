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
  const row = rowOfDots(element.width, step, radius);
  if (row === null) return true;
  const rest = (shift: number): number => (((shift * scale * ratio) % step) + step) % step;
  // On whole pixels, where a row is copied as it is.
  const x = Math.round(rest(offset[0]) - step - radius);
  for (let y = rest(offset[1]); y < element.height + radius; y += step) {
    ctx.drawImage(row, x, Math.round(y - radius));
  }
  return true;
}

let made: { readonly key: string; readonly row: HTMLCanvasElement } | null = null;

/**
 * A row of dots somewhat wider than the canvas, the first `radius` pixels from its left edge. Some
 * fifty copies of it take a tenth of the time that thousands of dots take without a graphics card.
 */
function rowOfDots(width: number, step: number, radius: number): HTMLCanvasElement | null {
  const key = [width, step, radius, palette.grid].join(' ');
  if (made?.key === key) return made.row;
  const row = document.createElement('canvas');
  row.width = Math.ceil(width + 2 * step);
  row.height = Math.ceil(2 * radius);
  const ctx = row.getContext('2d');
  if (ctx === null) return null;
  ctx.fillStyle = palette.grid;
  ctx.beginPath();
  for (let x = 0; x < row.width; x += step) ctx.rect(x, 0, radius * 2, radius * 2);
  ctx.fill();
  made = { key, row };
  return row;
}

import { useEffect, useRef } from 'preact/hooks';
import { boundsOf } from '../graph/align.ts';
import { categoryOf, colorOfCategory } from '../graph/category.ts';
import { statusOf } from '../graph/node-status.ts';
import { palette } from '../graph/palette.ts';
import { lookAt } from '../graph/view.ts';
import { t } from '../locale/translate.ts';
import type { Editor } from '../editor.ts';
import type { AppParts } from './parts.ts';

const width = 220;
const height = 150;
const margin = 8;
/** Milliseconds between two drawings: a map need not follow every frame. */
const rest = 80;

type Canvas = Editor['canvas'];

/** A map of the whole graph; pressing and dragging on it moves the view. */
export function Minimap({ editor: { canvas } }: AppParts) {
  const element = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (element.current !== null) drawMap(element.current, canvas);
      }, rest);
    };
    canvas.drawn.add(later);
    later();
    return () => {
      clearTimeout(timer);
      canvas.drawn.delete(later);
    };
  }, []);
  const goTo = (event: PointerEvent): void => {
    if (event.buttons === 0 || element.current === null) return;
    const box = element.current.getBoundingClientRect();
    const { scale, x, y } = mapOf(canvas);
    lookAt(canvas, x + (event.clientX - box.left) / scale, y + (event.clientY - box.top) / scale);
  };
  return (
    <canvas
      ref={element}
      class="minimap"
      role="img"
      aria-label={t('Map of the graph')}
      style={{ width: `${width}px`, height: `${height}px` }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        goTo(event);
      }}
      onPointerMove={goTo}
    />
  );
}

/** How the graph lies on the map: pixels of a unit, and the point in its corner. */
function mapOf({ graph, ds, canvas }: Canvas): { scale: number; x: number; y: number } {
  const seen = {
    boundingRect: [
      -ds.offset[0],
      -ds.offset[1],
      canvas.clientWidth / ds.scale,
      canvas.clientHeight / ds.scale,
    ] as unknown as Float64Array,
  };
  const nodes = graph?.nodes ?? [];
  const [left, top, right, bottom] = boundsOf(nodes.length === 0 ? [seen] : nodes);
  const scale = Math.min(
    (width - 2 * margin) / Math.max(1, right - left),
    (height - 2 * margin) / Math.max(1, bottom - top),
  );
  return {
    scale,
    x: (left + right - width / scale) / 2,
    y: (top + bottom - height / scale) / 2,
  };
}

function drawMap(element: HTMLCanvasElement, canvas: Canvas): void {
  const ratio = window.devicePixelRatio;
  if (element.width !== width * ratio) element.width = width * ratio;
  if (element.height !== height * ratio) element.height = height * ratio;
  const ctx = element.getContext('2d');
  if (ctx === null || canvas.graph === null) return;
  const { scale, x, y } = mapOf(canvas);
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.strokeStyle = palette.nodeBorder;
  for (const { pos, size } of canvas.graph.groups) {
    ctx.strokeRect((pos[0] - x) * scale, (pos[1] - y) * scale, size[0] * scale, size[1] * scale);
  }
  for (const node of canvas.graph.nodes) {
    const [left, top, w, h] = node.boundingRect;
    const { error, running } = statusOf(node);
    const category = categoryOf(node);
    ctx.fillStyle = error
      ? palette.error
      : running
        ? palette.running
        : category === ''
          ? palette.nodeDot
          : colorOfCategory(category);
    ctx.globalAlpha = node.selected || error || running ? 1 : 0.75;
    ctx.fillRect(
      (left - x) * scale,
      (top - y) * scale,
      Math.max(2, w * scale),
      Math.max(2, h * scale),
    );
  }
  ctx.globalAlpha = 1;
  const { ds } = canvas;
  ctx.strokeStyle = palette.accent;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(
    (-ds.offset[0] - x) * scale,
    (-ds.offset[1] - y) * scale,
    (canvas.canvas.clientWidth / ds.scale) * scale,
    (canvas.canvas.clientHeight / ds.scale) * scale,
  );
}

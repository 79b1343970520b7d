import { LGraphEventMode, type LGraphCanvas, type LGraphNode } from '@comfyorg/litegraph';
import { MarkdownText } from './widgets/markdown-text.ts';
import type { DomWidget } from './widgets/multiline.ts';
import { fieldMargin } from './widgets/draw-field.ts';

/** Below this zoom their text is too small to be read, and the box that the canvas draws is enough. */
const hideBelow = 0.45;

/**
 * Keeps the HTML elements of text fields over their nodes: placed and scaled each time the canvas
 * is drawn, cut where a node in front covers them, removed with their node.
 */
export function attachDomLayer(canvas: LGraphCanvas, host: HTMLElement): () => void {
  const placed = new Map<DomWidget, HTMLElement>();

  const sync = (): void => {
    const wanted = new Set<DomWidget>();
    // Only nodes in sight, which litegraph has just found: asking the page for sizes here would
    // make it lay out everything anew for each of them.
    const nodes = canvas.ds.scale < hideBelow ? [] : canvas.visible_nodes;
    for (const [order, node] of nodes.entries()) {
      if (node.flags.collapsed) continue;
      for (const widget of node.widgets ?? []) {
        if (!isDomWidget(widget) || !node.isWidgetVisible(widget)) continue;
        wanted.add(widget);
        let element = placed.get(widget);
        if (element === undefined) {
          element = widget instanceof MarkdownText ? widget.mountShell() : widget.mount();
          host.append(element);
          placed.set(widget, element);
        }
        widget.refresh();
        place(canvas, element, node, widget);
        element.style.zIndex = String(order);
        element.style.opacity = node.mode === LGraphEventMode.NEVER ? '0.5' : '';
        element.style.clipPath = coverage(nodes, order, node, widget);
      }
    }
    for (const [widget, element] of placed) {
      if (wanted.has(widget) || element.contains(document.activeElement)) continue;
      element.remove();
      placed.delete(widget);
    }
  };

  // Wheel and middle button over a text field still move the canvas.
  host.addEventListener(
    'wheel',
    (event) => {
      const area = event.target;
      const scrolls =
        area instanceof HTMLElement &&
        document.activeElement === area &&
        area.scrollHeight > area.clientHeight + 1;
      if (scrolls && !event.ctrlKey) return;
      event.preventDefault();
      canvas.processMouseWheel(event);
    },
    { passive: false },
  );
  host.addEventListener('pointerdown', (event) => {
    if (event.button === 1) {
      event.preventDefault();
      canvas.processMouseDown(event);
    }
  });
  return sync;
}

const isDomWidget = (
  widget: object,
): widget is DomWidget & { y: number; computedHeight?: number } => 'isDomWidget' in widget;

function place(
  canvas: LGraphCanvas,
  element: HTMLElement,
  node: LGraphNode,
  widget: { y: number; computedHeight?: number },
): void {
  const { scale, offset } = canvas.ds;
  const x = (node.pos[0] + fieldMargin + offset[0]) * scale;
  const y = (node.pos[1] + widget.y + offset[1]) * scale;
  element.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
  element.style.width = `${node.size[0] - 2 * fieldMargin}px`;
  element.style.height = `${Math.max(20, (widget.computedHeight ?? 60) - 6)}px`;
}

/** A clip path that leaves out what nodes drawn later cover; '' when nothing does. */
function coverage(
  nodes: readonly LGraphNode[],
  order: number,
  node: LGraphNode,
  widget: { y: number; computedHeight?: number },
): string {
  const left = node.pos[0] + fieldMargin;
  const top = node.pos[1] + widget.y;
  const width = node.size[0] - 2 * fieldMargin;
  const height = Math.max(20, (widget.computedHeight ?? 60) - 6);
  let holes = '';
  for (let i = order + 1; i < nodes.length; i++) {
    const [x, y, w, h] = nodes[i].boundingRect;
    const x0 = Math.max(0, x - left);
    const y0 = Math.max(0, y - top);
    const x1 = Math.min(width, x + w - left);
    const y1 = Math.min(height, y + h - top);
    if (x1 > x0 && y1 > y0) holes += `M${x0} ${y0}H${x1}V${y1}H${x0}Z`;
  }
  return holes === '' ? '' : `path(evenodd, "M-2 -2H${width + 2}V${height + 2}H-2Z${holes}")`;
}

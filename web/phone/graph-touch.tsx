import { useRef } from 'preact/hooks';
import type { EditorCanvas } from '../graph/canvas.ts';
import { t } from '../locale/translate.ts';

interface Point {
  readonly x: number;
  readonly y: number;
}

/** How far in and out fingers may go. */
const SCALES = { least: 0.1, most: 3 };

/** Lies over the canvas and moves it: a finger pans, two zoom. The graph itself stays as it is. */
export function GraphTouch({ canvas }: { canvas: EditorCanvas }) {
  const fingers = useRef(new Map<number, Point>());
  const move = (id: number, to: Point): void => {
    const before = [...fingers.current.values()];
    if (!fingers.current.has(id)) return;
    fingers.current.set(id, to);
    const after = [...fingers.current.values()];
    const from = middle(before);
    const now = middle(after);
    const { ds } = canvas;
    const ratio = before.length > 1 ? spread(after) / Math.max(1, spread(before)) : 1;
    const scale = Math.min(SCALES.most, Math.max(SCALES.least, ds.scale * ratio));
    const box = canvas.canvas.getBoundingClientRect();
    // What lies under the fingers stays under them.
    const held = [
      (from.x - box.left) / ds.scale - ds.offset[0],
      (from.y - box.top) / ds.scale - ds.offset[1],
    ];
    ds.scale = scale;
    ds.offset = [(now.x - box.left) / scale - held[0], (now.y - box.top) / scale - held[1]];
    canvas.setDirty(true, true);
  };
  const lift = (event: PointerEvent): void => void fingers.current.delete(event.pointerId);
  return (
    <div
      class="phone-graph"
      role="img"
      aria-label={t('The workflow as a graph')}
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId);
        fingers.current.set(e.pointerId, { x: e.clientX, y: e.clientY });
      }}
      onPointerMove={(e) => move(e.pointerId, { x: e.clientX, y: e.clientY })}
      onPointerUp={lift}
      onPointerCancel={lift}
    >
      <button type="button" class="phone-fit" onClick={() => canvas.fitView()}>
        {t('Show all')}
      </button>
    </div>
  );
}

const middle = (points: readonly Point[]): Point => ({
  x: points.reduce((sum, { x }) => sum + x, 0) / points.length,
  y: points.reduce((sum, { y }) => sum + y, 0) / points.length,
});

const spread = ([a, b]: readonly Point[]): number => Math.hypot(a.x - b.x, a.y - b.y);

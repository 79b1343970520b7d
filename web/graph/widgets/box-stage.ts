import { draggedBox, readBox, type Box, type BoxHold } from './box-shape.ts';

export interface BoxStageParts {
  /** The room of the boxes, in pixels of the picture. */
  readonly size: { readonly width: number; readonly height: number };
  /** What they lie on; null: an empty ground. */
  readonly picture: CanvasImageSource | null;
  readonly boxes: () => readonly Box[];
  /** Which one is held by its corners; null: none. */
  readonly active: () => number | null;
  /** Another one is taken hold of (null: none is, and the pointer did not draw one). */
  readonly choose: (index: number | null) => void;
  readonly change: (index: number, box: Box) => void;
  /** The pointer begins a box where there is none; returns its index. */
  readonly add: (box: Box) => number;
  /** How a box is drawn; left out: everything beside it is darkened. */
  readonly look?: (index: number) => { readonly color: string; readonly name: string };
}

const most = 420;
const corners = [false, true].flatMap((right) =>
  [false, true].map((bottom) => ({ right, bottom })),
);
type Corner = Exclude<BoxHold, 'all'>;

/** Boxes over a picture: drag them, drag the corners of the active one, or draw new ones. */
export function createBoxStage(parts: BoxStageParts) {
  const { size, boxes, active } = parts;
  const scale = Math.min(most / size.width, (most * 0.8) / size.height);
  const element = document.createElement('canvas');
  element.width = Math.max(1, Math.round(size.width * scale));
  element.height = Math.max(1, Math.round(size.height * scale));
  const context = element.getContext('2d') as CanvasRenderingContext2D;
  const cornerOf = ({ x, y, width, height }: Box, { right, bottom }: Corner) =>
    [(x + (right ? width : 0)) * scale, (y + (bottom ? height : 0)) * scale] as const;

  /** What the pointer would take hold of. */
  const holdAt = (px: number, py: number): { index: number; hold: BoxHold } | null => {
    const all = boxes();
    const now = active();
    const corner =
      now === null || now >= all.length
        ? undefined
        : corners.find((each) => {
            const [cx, cy] = cornerOf(all[now], each);
            return Math.hypot(cx - px, cy - py) < 9;
          });
    if (now !== null && corner !== undefined) return { index: now, hold: corner };
    const [x, y] = [px / scale, py / scale];
    const under = all.findLastIndex(
      (box) => x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height,
    );
    return under < 0 ? null : { index: under, hold: 'all' };
  };
  /** The canvas may be shown larger or smaller than it is. */
  const place = ({ offsetX, offsetY }: PointerEvent): [number, number] => [
    (offsetX * element.width) / element.clientWidth,
    (offsetY * element.height) / element.clientHeight,
  ];
  element.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    element.focus();
    const [px, py] = place(event);
    let held = holdAt(px, py);
    const taken = held !== null;
    parts.choose(held?.index ?? null);
    let start = held === null ? null : boxes()[held.index];
    const move = (moved: PointerEvent): void => {
      const [mx, my] = place(moved);
      if (held === null || start === null) {
        if (Math.hypot(mx - px, my - py) < 4) return;
        start = readBox({ x: px / scale, y: py / scale });
        held = { index: parts.add(start), hold: { right: true, bottom: true } };
      }
      const by = [(mx - px) / scale, (my - py) / scale] as const;
      parts.change(held.index, {
        ...boxes()[held.index],
        ...draggedBox(start, held.hold, by, size),
      });
    };
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', () => element.removeEventListener('pointermove', move), {
      once: true,
    });
    if (taken) element.style.cursor = 'grabbing';
    element.addEventListener('pointerup', () => (element.style.cursor = ''), { once: true });
  });

  const drawBox = (
    box: Box,
    isActive: boolean,
    look: ReturnType<NonNullable<BoxStageParts['look']>>,
  ) => {
    const [x, y] = cornerOf(box, { right: false, bottom: false });
    context.lineWidth = isActive ? 3 : 1.5;
    context.strokeStyle = look.color;
    context.strokeRect(x, y, box.width * scale, box.height * scale);
    context.fillStyle = look.color;
    if (isActive) {
      for (const corner of corners) {
        const [cx, cy] = cornerOf(box, corner);
        context.fillRect(cx - 4, cy - 4, 8, 8);
      }
    }
    if (look.name === '') return;
    context.font = '600 12px Inter, sans-serif';
    context.shadowColor = '#000';
    context.shadowBlur = 4;
    context.fillStyle = '#fff';
    context.fillText(look.name, x + 6, y + 16);
    context.shadowBlur = 0;
  };
  return {
    element,
    show(): void {
      context.fillStyle = '#404040';
      context.fillRect(0, 0, element.width, element.height);
      if (parts.picture !== null) {
        context.drawImage(parts.picture, 0, 0, element.width, element.height);
      }
      if (parts.look === undefined) {
        context.fillStyle = 'rgb(0 0 0 / 55%)';
        context.beginPath();
        context.rect(0, 0, element.width, element.height);
        for (const { x, y, width, height } of boxes()) {
          context.rect(x * scale, y * scale, width * scale, height * scale);
        }
        context.fill('evenodd');
      }
      const now = active();
      boxes().forEach((box, i) => {
        drawBox(box, i === now, parts.look?.(i) ?? { color: '#fff', name: '' });
      });
    },
  };
}

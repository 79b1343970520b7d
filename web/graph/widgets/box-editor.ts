import { t } from '../../locale/translate.ts';
import { draggedBox, readBox, type Box, type BoxHold } from './box-shape.ts';
import { closesOutside, placeNear } from './drop-down.ts';

export interface BoxEditorOptions {
  readonly box: Box;
  /** What the box lies on; without one it is typed only. */
  readonly picture:
    (CanvasImageSource & { readonly width: number; readonly height: number }) | null;
  readonly x: number;
  readonly y: number;
  readonly label: string;
  /** Called for each box that is tried. */
  readonly pick: (box: Box) => void;
}

const sides = ['x', 'y', 'width', 'height'] as const;
const most = 420;

/** Opens a box over a picture: drag it, drag its corners, draw a new one, or type its numbers. */
export function openBoxEditor(options: BoxEditorOptions): void {
  const { picture, label, pick } = options;
  const root = document.createElement('div');
  root.className = 'choice-list box-list';
  root.setAttribute('role', 'dialog');
  root.setAttribute('aria-label', label);
  root.tabIndex = -1;
  let { box } = options;

  const fields = sides.map((side) => {
    const field = document.createElement('input');
    field.type = 'number';
    field.min = side === 'x' || side === 'y' ? '0' : '1';
    field.setAttribute('aria-label', t(boxNames[side]));
    field.addEventListener('input', () => {
      if (field.value !== '') change(readBox({ ...box, [side]: Number(field.value) }), field);
    });
    return field;
  });
  const stage =
    picture === null
      ? null
      : createStage(
          picture,
          () => box,
          (next) => change(next),
        );
  const show = (typed: HTMLInputElement | null = null): void => {
    fields.forEach((field, i) => {
      if (field !== typed) field.value = String(box[sides[i]]);
    });
    stage?.show(box);
  };
  const change = (next: Box, typed: HTMLInputElement | null = null): void => {
    box = next;
    show(typed);
    pick(next);
  };
  const numbers = document.createElement('div');
  numbers.className = 'box-numbers';
  for (const [i, field] of fields.entries()) {
    const row = document.createElement('label');
    row.append(t(boxNames[sides[i]]), field);
    numbers.append(row);
  }
  if (stage !== null) root.append(stage.element);
  root.append(numbers);
  const close = closesOutside(root);
  root.addEventListener('keydown', (event) => {
    event.stopPropagation();
    if (event.key !== 'Enter' && event.key !== 'Escape') return;
    event.preventDefault();
    close();
  });
  document.body.append(root);
  show();
  placeNear(root, options);
  requestAnimationFrame(() => root.focus());
}

const boxNames = { x: 'Left', y: 'Top', width: 'Width', height: 'Height' } as const;

/** The picture with the box on it. */
function createStage(
  picture: CanvasImageSource & { readonly width: number; readonly height: number },
  boxNow: () => Box,
  change: (box: Box) => void,
) {
  const scale = Math.min(most / picture.width, (most * 0.8) / picture.height);
  const element = document.createElement('canvas');
  element.width = Math.round(picture.width * scale);
  element.height = Math.round(picture.height * scale);
  const context = element.getContext('2d') as CanvasRenderingContext2D;
  const corners = [false, true].flatMap((right) =>
    [false, true].map((bottom) => ({ right, bottom })),
  );
  const cornerOf = ({ x, y, width, height }: Box, { right, bottom }: Exclude<BoxHold, 'all'>) =>
    [(x + (right ? width : 0)) * scale, (y + (bottom ? height : 0)) * scale] as const;

  const holdAt = (px: number, py: number): BoxHold | null => {
    const box = boxNow();
    const corner = corners.find((each) => {
      const [cx, cy] = cornerOf(box, each);
      return Math.hypot(cx - px, cy - py) < 9;
    });
    if (corner !== undefined) return corner;
    const [x, y] = [px / scale, py / scale];
    const inside = x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
    return inside ? 'all' : null;
  };
  /** The canvas may be shown larger or smaller than it is. */
  const place = ({ offsetX, offsetY }: PointerEvent): [number, number] => [
    (offsetX * element.width) / element.clientWidth,
    (offsetY * element.height) / element.clientHeight,
  ];
  element.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    const [px, py] = place(event);
    const hold = holdAt(px, py) ?? { right: true, bottom: true };
    const start =
      holdAt(px, py) === null
        ? readBox({ x: px / scale, y: py / scale, width: 1, height: 1 })
        : boxNow();
    const move = (moved: PointerEvent): void => {
      const [mx, my] = place(moved);
      const by = [(mx - px) / scale, (my - py) / scale] as const;
      change(draggedBox(start, hold, by, picture));
    };
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', () => element.removeEventListener('pointermove', move), {
      once: true,
    });
  });

  return {
    element,
    show(box: Box): void {
      context.drawImage(picture, 0, 0, element.width, element.height);
      const [x, y] = cornerOf(box, { right: false, bottom: false });
      const [w, h] = [box.width * scale, box.height * scale];
      context.fillStyle = 'rgb(0 0 0 / 55%)';
      context.beginPath();
      context.rect(0, 0, element.width, element.height);
      context.rect(x, y, w, h);
      context.fill('evenodd');
      context.lineWidth = 2;
      context.strokeStyle = '#fff';
      context.strokeRect(x, y, w, h);
      context.fillStyle = '#fff';
      for (const corner of corners) {
        const [cx, cy] = cornerOf(box, corner);
        context.fillRect(cx - 4, cy - 4, 8, 8);
      }
    },
  };
}

import { t } from '../../locale/translate.ts';
import { readBox, type Box } from './box-shape.ts';
import { createBoxStage } from './box-stage.ts';
import { closesOutside, placeNear } from './drop-down.ts';
import '../../style/values.css';

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
      : createBoxStage({
          size: picture,
          picture,
          boxes: () => [box],
          active: () => 0,
          choose: () => undefined,
          change: (_, next) => change(next),
          add: (next) => {
            change(next);
            return 0;
          },
        });
  const show = (typed: HTMLInputElement | null = null): void => {
    fields.forEach((field, i) => {
      if (field !== typed) field.value = String(box[sides[i]]);
    });
    stage?.show();
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

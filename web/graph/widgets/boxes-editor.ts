import { t } from '../../locale/translate.ts';
import { createBoxStage } from './box-stage.ts';
import { emptyContent, type BoxContent, type FilledBox } from './boxes-shape.ts';
import { colorsList } from './colors-list.ts';
import { readColors } from './hex.ts';
import { openPopUp, type PopUp } from './pop-up.ts';
import '../../style/values.css';

export interface BoxesEditorOptions extends Pick<PopUp, 'at' | 'label'> {
  readonly boxes: readonly FilledBox[];
  /** The canvas that they are measured on, in pixels. */
  readonly size: { readonly width: number; readonly height: number };
  readonly picture: CanvasImageSource | null;
  /** Called for all boxes with each change. */
  readonly pick: (boxes: readonly FilledBox[]) => void;
}

/** How many colours of a box are used. */
const mostColors = 5;

/** Opens boxes over a picture or an empty canvas: draw them, drag them, and say what is in each. */
export function openBoxesEditor({
  size,
  picture,
  pick,
  at,
  label,
  ...given
}: BoxesEditorOptions): void {
  let { boxes } = given;
  let active: number | null = boxes.length > 0 ? 0 : null;
  const root = document.createElement('div');
  const details = document.createElement('div');
  details.className = 'boxes-details';
  const change = (next: readonly FilledBox[]): void => {
    boxes = next;
    stage.show();
    pick(next);
  };
  const choose = (index: number | null): void => {
    if (index !== active) {
      active = index;
      details.replaceChildren(...contentOf());
    }
    stage.show();
  };
  const remove = (): void => {
    if (active === null) return;
    const next = boxes.toSpliced(active, 1);
    active = null;
    details.replaceChildren(...contentOf());
    change(next);
    stage.element.focus();
  };
  /** The fields of the active box. */
  const contentOf = (): Node[] => {
    const index = active;
    if (index === null) return [hint()];
    const { metadata } = boxes[index];
    const set = (part: Partial<BoxContent>): void => {
      const box = boxes[index];
      change(boxes.with(index, { ...box, metadata: { ...box.metadata, ...part } }));
    };
    return contentFields(metadata, {
      set,
      remove,
      renew: () => details.replaceChildren(...contentOf()),
    });
  };
  const stage = createBoxStage({
    size,
    picture,
    boxes: () => boxes,
    active: () => active,
    choose,
    change: (index, box) => change(boxes.with(index, { ...boxes[index], ...box })),
    add: (box) => {
      active = boxes.length;
      change([...boxes, { ...box, metadata: emptyContent }]);
      details.replaceChildren(...contentOf());
      return boxes.length - 1;
    },
    look: (index) => ({
      color: readColors(boxes[index].metadata.palette).at(0) ?? '#8c8c8c',
      name: String(index + 1).padStart(2, '0'),
    }),
  });
  stage.element.tabIndex = 0;
  stage.element.setAttribute(
    'aria-label',
    t('Boxes; drag to draw one, Delete removes the active one'),
  );
  stage.element.addEventListener('keydown', (event) => {
    if (event.key === 'Delete' || event.key === 'Backspace') remove();
  });
  details.append(...contentOf());
  root.append(stage.element, details);
  stage.show();
  openPopUp({ className: 'box-list', label, at, content: root });
}

function hint(): HTMLElement {
  const note = document.createElement('p');
  note.textContent = t('Drag to draw a box; the background first, what is in front last.');
  return note;
}

interface ContentActions {
  readonly set: (part: Partial<BoxContent>) => void;
  readonly remove: () => void;
  /** Makes the fields anew: others are needed. */
  readonly renew: () => void;
}

function contentFields(
  { type, text, desc, palette }: BoxContent,
  { set, remove, renew }: ContentActions,
): Node[] {
  const kind = document.createElement('select');
  for (const [value, name] of [
    ['obj', t('Object')],
    ['text', t('Text')],
  ]) {
    kind.append(new Option(name, value, false, value === type));
  }
  kind.addEventListener('change', () => {
    set({ type: kind.value === 'text' ? 'text' : 'obj' });
    renew();
  });
  const line = (value: string, put: (value: string) => void): HTMLInputElement => {
    const input = document.createElement('input');
    input.type = 'text';
    input.value = value;
    input.addEventListener('input', () => put(input.value));
    return input;
  };
  const gone = document.createElement('button');
  gone.type = 'button';
  gone.textContent = t('Remove the box');
  gone.addEventListener('click', remove);
  return [
    labelled(t('Kind'), kind),
    ...(type === 'text'
      ? [
          labelled(
            t('Text'),
            line(text, (v) => set({ text: v })),
          ),
        ]
      : []),
    labelled(
      t('Description'),
      line(desc, (v) => set({ desc: v })),
    ),
    labelled(
      t('Colours'),
      colorsList({
        colors: readColors(palette),
        most: mostColors,
        change: (colors) => set({ palette: [...colors] }),
      }),
    ),
    gone,
  ];
}

function labelled(text: string, field: HTMLElement): HTMLElement {
  // A label would press the first of many fields.
  const row = document.createElement(field.matches('input, select') ? 'label' : 'div');
  const name = document.createElement('span');
  name.textContent = text;
  row.append(name, field);
  return row;
}

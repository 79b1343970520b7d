import { t } from '../../locale/translate.ts';
import '../../style/values.css';

export interface ColorsListOptions {
  /** `#rrggbb` each. */
  readonly colors: readonly string[];
  /** How many there may be; left out: any number. */
  readonly most?: number;
  /** Called for each list that is tried. */
  readonly change: (colors: readonly string[]) => void;
}

/** Colours in a row, each with the browser's picker and a cross, and a button for one more. */
export function colorsList({ most = Infinity, change, ...given }: ColorsListOptions): HTMLElement {
  const root = document.createElement('div');
  root.className = 'colors-row';
  let { colors } = given;
  const set = (next: readonly string[]): void => {
    colors = next;
    change(next);
  };
  const fill = (): void => {
    const add = document.createElement('button');
    add.type = 'button';
    add.className = 'colors-add';
    add.textContent = '+';
    add.title = t('Add a colour');
    add.setAttribute('aria-label', t('Add a colour'));
    add.disabled = colors.length >= most;
    add.addEventListener('click', () => {
      set([...colors, colors.at(-1) ?? '#ffffff']);
      fill();
      root.querySelectorAll('input')[colors.length - 1]?.focus();
    });
    root.replaceChildren(...colors.map((_, i) => swatch(i)), add);
  };
  const swatch = (i: number): HTMLElement => {
    const place = document.createElement('span');
    const input = document.createElement('input');
    input.type = 'color';
    input.value = colors[i];
    input.title = colors[i];
    input.setAttribute('aria-label', t('Colour {number}', { number: i + 1 }));
    input.addEventListener('input', () => {
      input.title = input.value;
      set(colors.with(i, input.value));
    });
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.textContent = '×';
    remove.setAttribute('aria-label', t('Remove colour {number}', { number: i + 1 }));
    remove.addEventListener('click', () => {
      set(colors.toSpliced(i, 1));
      fill();
    });
    place.append(input, remove);
    return place;
  };
  fill();
  return root;
}

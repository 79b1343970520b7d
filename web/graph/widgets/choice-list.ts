import { t } from '../../locale/translate.ts';
import type { Pictures } from '../../models/model-files.ts';
import { closesOutside, placeNear } from './drop-down.ts';

/** What a choice list shows and whom it tells; `x`/`y` are page coordinates. */
export interface ChoiceListOptions {
  readonly choices: readonly (string | number)[];
  readonly current: string | number;
  readonly x: number;
  readonly y: number;
  readonly label: string;
  /** Small pictures of the choices, where there may be some. */
  readonly pictures?: Promise<Pictures> | null;
  readonly pick: (value: string | number) => void;
}

const filterFrom = 8;

/** Opens a drop-down with type-to-filter and arrow keys; closes on Escape or a click elsewhere. */
export function openChoiceList(options: ChoiceListOptions): void {
  const root = document.createElement('div');
  root.className = 'choice-list';
  root.setAttribute('role', 'dialog');
  root.setAttribute('aria-label', options.label);
  const filter = document.createElement('input');
  filter.type = 'text';
  filter.placeholder = t('Filter {name}', { name: options.label });
  filter.setAttribute('aria-label', filter.placeholder);
  filter.spellcheck = false;
  const list = document.createElement('div');
  list.className = 'choice-items';
  list.setAttribute('role', 'listbox');
  const { pictures = null } = options;
  list.classList.toggle('with-pictures', pictures !== null);
  root.append(filter, list);
  if (options.choices.length < filterFrom) filter.classList.add('visually-hidden');

  let shown: (string | number)[] = [];
  let active = -1;

  const close = closesOutside(root);
  const pick = (value: string | number): void => {
    close();
    options.pick(value);
  };
  const mark = (index: number): void => {
    active = index;
    [...list.children].forEach((child, i) => child.classList.toggle('active', i === index));
    list.children[index]?.scrollIntoView({ block: 'nearest' });
  };
  const fill = (): void => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = options.choices.filter((c) => words.every((w) => String(c).toLowerCase().includes(w)));
    list.replaceChildren(
      ...shown.map((choice) => {
        const item = document.createElement('button');
        item.type = 'button';
        item.title = String(choice);
        const name = document.createElement('span');
        name.textContent = String(choice);
        item.append(...(pictures === null ? [] : [slotFor(choice, pictures)]), name);
        item.setAttribute('role', 'option');
        item.setAttribute('aria-selected', String(choice === options.current));
        item.addEventListener('click', () => pick(choice));
        return item;
      }),
    );
    if (shown.length === 0) {
      const empty = document.createElement('p');
      empty.textContent =
        options.choices.length === 0 ? t('Nothing to choose from') : t('No match');
      list.append(empty);
    }
    mark(words.length > 0 ? 0 : Math.max(0, shown.indexOf(options.current)));
  };

  filter.addEventListener('input', fill);
  root.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
    else if (event.key === 'ArrowDown') mark(Math.min(shown.length - 1, active + 1));
    else if (event.key === 'ArrowUp') mark(Math.max(0, active - 1));
    else if (event.key === 'Enter' && active in shown) pick(shown[active]);
    else {
      event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });

  document.body.append(root);
  fill();
  placeNear(root, options);
  mark(active);
  requestAnimationFrame(() => filter.focus());
}

/** The place of a choice's picture, filled when it is in sight and there is one. */
function slotFor(choice: string | number, pictures: Promise<Pictures>): HTMLElement {
  const slot = document.createElement('span');
  slot.className = 'choice-picture';
  void pictures.then((found) => {
    const address = found.get(choice);
    if (address === undefined || !slot.isConnected) return;
    const image = document.createElement('img');
    image.alt = '';
    image.loading = 'lazy';
    image.decoding = 'async';
    image.addEventListener('error', () => image.remove());
    image.src = address;
    slot.append(image);
  });
  return slot;
}

import { closesOutside, placeNear } from './drop-down.ts';
import { t } from '../../locale/translate.ts';

/** What a choice list shows and whom it tells; `x`/`y` are page coordinates. */
export interface ChoiceListOptions {
  readonly choices: readonly (string | number)[];
  readonly current: string | number;
  readonly x: number;
  readonly y: number;
  readonly label: string;
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
  filter.placeholder = `Filter ${options.label}`;
  filter.setAttribute('aria-label', `Filter ${options.label}`);
  filter.spellcheck = false;
  const list = document.createElement('div');
  list.className = 'choice-items';
  list.setAttribute('role', 'listbox');
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
        item.textContent = String(choice);
        item.setAttribute('role', 'option');
        item.setAttribute('aria-selected', String(choice === options.current));
        item.addEventListener('click', () => pick(choice));
        return item;
      }),
    );
    if (shown.length === 0) {
      const empty = document.createElement('p');
      empty.textContent = t(options.choices.length === 0 ? 'Nothing to choose from' : 'No match');
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

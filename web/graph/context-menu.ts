import {
  ContextMenu,
  LiteGraph,
  type IContextMenuOptions,
  type IContextMenuValue,
} from '@comfyorg/litegraph';
import { t } from '../locale/translate.ts';

/** What litegraph puts into its menus itself, and knows again by these texts. */
const litegraphs: Readonly<Record<string, string>> = {
  'Disconnect Links': 'Disconnect links',
  'Remove Slot': 'Remove slot',
  'Rename Slot': 'Rename slot',
  'Delete Reroute': 'Delete reroute',
};

type Item = string | IContextMenuValue<unknown> | null;

/**
 * litegraph's context menu with its texts set as text: titles, choices and slot names come from
 * files that anyone may have made, and litegraph would read them as HTML.
 */
export class TextMenu extends ContextMenu {
  constructor(values: readonly Item[], options: IContextMenuOptions) {
    super(values, {
      ...options,
      title: options.title === undefined ? undefined : escapeHtml(String(options.title)),
    });
    this.root.setAttribute('role', 'menu');
    this.root.addEventListener('keydown', (event) => this.#onKey(event));
    this.root.tabIndex = -1;
    // Not before the click that opens it is over, which gives the focus to the canvas.
    if (this.parentMenu === undefined) {
      setTimeout(() => this.root.isConnected && this.root.focus({ preventScroll: true }));
    }
  }

  override addItem(name: string | null, value: Item, options: IContextMenuOptions): HTMLElement {
    const blank =
      typeof value === 'object' && value !== null ? { ...value, title: undefined } : value;
    const element = super.addItem('', blank, options);
    if (value === null) return element;
    const given =
      typeof value === 'object' ? (value.title ?? value.content ?? name) : (name ?? value);
    const text = plain(String(given ?? ''));
    element.textContent = Object.hasOwn(litegraphs, text) ? t(litegraphs[text]) : text;
    element.tabIndex = -1;
    const swatch = typeof value === 'object' ? swatchOf(value) : null;
    if (swatch !== null) {
      const dot = document.createElement('i');
      dot.className = 'menu-swatch';
      dot.style.background = swatch;
      element.prepend(dot);
    }
    return element;
  }

  /** Entries that can be chosen, in their order. */
  get #entries(): HTMLElement[] {
    return [...this.root.querySelectorAll<HTMLElement>('.litemenu-entry')].filter(
      ({ classList }) => !classList.contains('separator') && !classList.contains('disabled'),
    );
  }

  #onKey(event: KeyboardEvent): void {
    const entries = this.#entries;
    const at = entries.findIndex((entry) => entry === document.activeElement);
    const move = moves[event.key];
    if (move !== undefined) entries.at(move(at, entries.length))?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') this.#leave(event.key === 'Escape');
    else if (event.key === 'ArrowLeft') this.#leave(true);
    else if (event.key === 'Enter' || event.key === ' ') this.#choose(entries[at]);
    else if (event.key === 'ArrowRight') {
      if (entries[at]?.classList.contains('has_submenu')) this.#choose(entries[at]);
    } else if (event.key.length === 1) {
      const letter = event.key.toLowerCase();
      const starts = [...entries.slice(at + 1), ...entries.slice(0, at + 1)];
      starts.find((e) => e.textContent.toLowerCase().startsWith(letter))?.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #choose(entry: HTMLElement | undefined): void {
    if (entry === undefined) return;
    const { right, top } = entry.getBoundingClientRect();
    entry.dispatchEvent(
      new MouseEvent('click', { clientX: right, clientY: top + 10, bubbles: true }),
    );
    const opened = this.current_submenu;
    if (opened instanceof TextMenu) opened.#entries[0]?.focus();
    else if (!this.root.isConnected && document.activeElement === document.body) focusGraph();
  }

  /** Closes the menu; one that another has opened gives the keys back to it. */
  #leave(back: boolean): void {
    const parent = this.parentMenu;
    if (parent instanceof TextMenu && back) {
      this.close(undefined, true);
      parent.lock = false;
      parent.current_submenu = undefined;
      parent.root.querySelector<HTMLElement>('[aria-expanded="true"]')?.focus();
      return;
    }
    this.close();
    focusGraph();
  }
}

const focusGraph = (): void => document.getElementById('graph')?.focus({ preventScroll: true });

/** Keys that go to another entry, by the present one (-1: none) and their number. */
const moves: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowDown: (at, count) => (at + 1) % count,
  ArrowUp: (at) => (at < 0 ? -1 : at - 1),
  Home: () => 0,
  End: () => -1,
};

/** Makes litegraph open `TextMenu`s. */
export function useTextMenus(): void {
  LiteGraph.ContextMenu = TextMenu;
}

const swatchOf = (value: IContextMenuValue<unknown>): string | null =>
  'swatch' in value && typeof value.swatch === 'string' ? value.swatch : null;

/** litegraph decorates a few entries with tags; only their words are wanted. */
const plain = (text: string): string => text.replace(/<[^>]*>/g, '').replace(/ 🆕$/, '');

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

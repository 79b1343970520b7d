import {
  ContextMenu,
  LiteGraph,
  type IContextMenuOptions,
  type IContextMenuValue,
} from '@comfyorg/litegraph';

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
  }

  override addItem(name: string | null, value: Item, options: IContextMenuOptions): HTMLElement {
    const blank =
      typeof value === 'object' && value !== null ? { ...value, title: undefined } : value;
    const element = super.addItem('', blank, options);
    if (value === null) return element;
    const given =
      typeof value === 'object' ? (value.title ?? value.content ?? name) : (name ?? value);
    element.textContent = plain(String(given ?? ''));
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

  #onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape') this.close();
  }
}

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

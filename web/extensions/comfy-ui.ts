/** `$el` and the small things of ComfyUI's /scripts/ui.js that packs build their boxes with. */

type Attributes = Record<string, unknown> & {
  readonly parent?: Element;
  readonly $?: (element: HTMLElement) => void;
  readonly dataset?: Record<string, string>;
  readonly style?: Partial<CSSStyleDeclaration> | string;
};
type Children = string | Node | readonly (string | Node)[];

/** Makes an element: `$el('div.some.class', { onclick, style, parent, $ }, children)`. */
export function $el(tag: string, first?: Attributes | Children, rest?: Children): HTMLElement {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length > 0) element.classList.add(...classes);
  const isChildren = typeof first === 'string' || first instanceof Node || Array.isArray(first);
  const given = (isChildren ? {} : (first ?? {})) as Attributes;
  const children = (isChildren ? first : rest) as Children | undefined;
  const { parent, $, dataset, style, ...others } = given;
  if (typeof style === 'string') element.style.cssText = style;
  else Object.assign(element.style, style ?? {});
  Object.assign(element.dataset, dataset ?? {});
  if (name === 'label' && typeof others.for === 'string') element.setAttribute('for', others.for);
  Object.assign(element, others);
  if (children !== undefined) {
    element.append(
      ...(Array.isArray(children) ? (children as (string | Node)[]) : [children as string | Node]),
    );
  }
  parent?.append(element);
  $?.(element);
  return element;
}

/** A box over the page with text or elements, and a button that closes it. */
export class ComfyDialog {
  readonly element: HTMLDialogElement;
  readonly #body: HTMLElement;

  constructor(_type = 'div', buttons: readonly HTMLElement[] | null = null) {
    this.#body = $el('div.comfy-modal-content');
    this.element = $el('dialog.dialog.comfy-modal', { parent: document.body }, [
      this.#body,
      $el('footer', buttons ?? this.createButtons()),
    ]) as HTMLDialogElement;
  }

  createButtons(): HTMLElement[] {
    return [$el('button', { type: 'button', textContent: 'Close', onclick: () => this.close() })];
  }

  close(): void {
    this.element.close();
  }

  /** Text is shown as text; packs give elements for everything else. */
  show(content: string | HTMLElement | readonly HTMLElement[] = ''): void {
    this.#body.replaceChildren(
      ...(Array.isArray(content) ? (content as HTMLElement[]) : [content as string | HTMLElement]),
    );
    if (!this.element.open) this.element.showModal();
  }
}

interface ButtonGiven {
  readonly content?: string | HTMLElement;
  readonly tooltip?: string;
  readonly action?: (event: Event, button: ComfyButton) => void;
}

/** A button as packs give it to ComfyUI's menu. */
export class ComfyButton {
  readonly element: HTMLElement;

  constructor({ content = '', tooltip = '', action }: ButtonGiven = {}) {
    this.element = $el('button.comfyui-button', { type: 'button', title: tooltip }, [content]);
    if (tooltip !== '') this.element.setAttribute('aria-label', tooltip);
    this.element.addEventListener('click', (event) => action?.(event, this));
  }
}

export class ComfyButtonGroup {
  readonly element: HTMLElement;

  constructor(...buttons: readonly (ComfyButton | HTMLElement)[]) {
    this.element = $el('div.comfyui-button-group');
    this.append(...buttons);
  }

  append(...buttons: readonly (ComfyButton | HTMLElement)[]): void {
    this.element.append(...buttons.map((b) => (b instanceof ComfyButton ? b.element : b)));
  }
}

/** Loads a style sheet of a pack: beside its script, or at a path from there. */
export function addStylesheet(path: string, relativeTo?: string): Promise<void> {
  const beside = path.endsWith('.js') ? `${path.slice(0, -2)}css` : path;
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = relativeTo === undefined ? beside : new URL(path, relativeTo).href;
  document.head.append(link);
  return new Promise((resolve, reject) => {
    link.onload = () => resolve();
    link.onerror = () => reject(new Error(`${link.href} could not be loaded`));
  });
}

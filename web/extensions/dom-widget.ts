import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type { DomWidget } from '../graph/widgets/multiline.ts';

/** What a pack may say about the element it puts into a node. */
export interface DomWidgetOptions {
  readonly getValue?: () => unknown;
  readonly setValue?: (value: unknown) => void;
  readonly getMinHeight?: () => number;
  readonly getMaxHeight?: () => number;
  readonly getHeight?: () => number | string;
  readonly serialize?: boolean;
}

/** An element of a pack, laid over its node like our own text fields (`node.addDOMWidget`). */
export class PackDomWidget extends BaseWidget<ICustomWidget> implements ICustomWidget, DomWidget {
  override type: ICustomWidget['type'];
  readonly isDomWidget = true as const;
  override readonly element: HTMLElement;
  readonly dom: DomWidgetOptions;

  constructor(
    node: LGraphNode,
    name: string,
    type: string,
    element: HTMLElement,
    options: DomWidgetOptions,
  ) {
    super({ name, type: 'custom', value: '', options: {}, y: 0 }, node);
    this.type = type as ICustomWidget['type'];
    this.element = element;
    this.dom = options;
    this.options = options as never;
    if (options.serialize === false) this.serialize = false;
    element.classList.add('pack-widget');
    const { getValue, setValue } = options;
    if (getValue === undefined && setValue === undefined) return;
    let kept: unknown = this.value;
    Object.defineProperty(this, 'value', {
      get: () => (getValue === undefined ? kept : getValue()),
      set: (value: unknown) => {
        kept = value;
        setValue?.(value);
      },
    });
  }

  /** Old scripts call it so. */
  get inputEl(): HTMLElement {
    return this.element;
  }

  override computeLayoutSize(): { minHeight: number; minWidth: number; maxHeight?: number } {
    const { getHeight, getMinHeight, getMaxHeight } = this.dom;
    const given = Number.parseFloat(String(getHeight?.() ?? ''));
    const minHeight = getMinHeight?.() ?? (Number.isFinite(given) ? given : 50);
    return { minHeight, minWidth: 0, maxHeight: getMaxHeight?.() };
  }

  mount(): HTMLElement {
    return this.element;
  }

  refresh(): void {
    // The pack draws its element itself.
  }

  override drawWidget(): void {
    // The element lies over the canvas.
  }

  override onClick(): void {
    // The element takes its own clicks.
  }
}

/** `node.addDOMWidget(name, type, element, options)`. */
export function addDOMWidget(
  this: LGraphNode,
  name: string,
  type: string,
  element: HTMLElement,
  options: DomWidgetOptions = {},
): PackDomWidget {
  const widget = new PackDomWidget(this, name, type, element, options);
  this.addCustomWidget(widget);
  return widget;
}

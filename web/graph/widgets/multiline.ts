import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { IStringWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type { DrawWidgetOptions } from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { textOf } from '../../text.ts';
import type { Vocabulary } from '../../prompt-text/completion.ts';
import { suggestWhileTyping } from '../../prompt-text/completion-list.ts';
import { listenForPromptKeys } from '../../prompt-text/prompt-keys.ts';
import { palette } from '../theme.ts';
import { fieldMargin } from './draw-field.ts';

/** A widget with an HTML element over the canvas; dom-layer.ts places and removes it. */
export interface DomWidget {
  readonly isDomWidget: true;
  /** The element, made on first use (never in bare Node). */
  mount(): HTMLElement;
  /** Brings the element up to date with the value before it is shown. */
  refresh(): void;
}

export interface MultilineOptions {
  readonly placeholder?: string;
  readonly readOnly?: boolean;
  readonly minHeight?: number;
  readonly onEdited?: () => void;
  /** What the text may name, for suggestions while it is typed. */
  readonly vocabulary?: () => Promise<Vocabulary>;
}

/** Multi-line STRING field: a real textarea over the node, with (word:1.1) on Ctrl+Up/Down. */
export class Multiline extends BaseWidget<IStringWidget> implements IStringWidget, DomWidget {
  override type = 'customtext' as IStringWidget['type'];
  readonly isDomWidget = true as const;
  declare settings: MultilineOptions;
  declare hasError?: boolean;
  #area: HTMLTextAreaElement | null = null;

  constructor(widget: IStringWidget & { settings: MultilineOptions }, node: LGraphNode) {
    super(widget, node);
    this.settings = widget.settings;
  }

  override computeLayoutSize(): { minHeight: number; minWidth: number } {
    return { minHeight: this.settings.minHeight ?? 60, minWidth: 120 };
  }

  mount(): HTMLTextAreaElement {
    if (this.#area !== null) return this.#area;
    const area = document.createElement('textarea');
    area.className = 'node-text';
    area.placeholder = this.settings.placeholder ?? this.name;
    area.spellcheck = false;
    area.readOnly = this.settings.readOnly === true;
    area.setAttribute('aria-label', `${this.node.title}: ${this.name}`);
    area.addEventListener('input', () => {
      this.value = area.value;
      this.callback?.(area.value);
    });
    area.addEventListener('change', () => this.settings.onEdited?.());
    if (this.settings.vocabulary !== undefined) suggestWhileTyping(area, this.settings.vocabulary);
    listenForPromptKeys(area);
    this.#area = area;
    return area;
  }

  /** The element by the name that page scripts of packs know. */
  get inputEl(): HTMLTextAreaElement {
    return this.mount();
  }

  refresh(): void {
    const area = this.#area;
    if (area === null) return;
    const text = textOf(this.value);
    if (area.value !== text && document.activeElement !== area) area.value = text;
    area.disabled = this.computedDisabled === true;
    area.classList.toggle('has-error', this.hasError === true);
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    const height = (this.computedHeight ?? 60) - 6;
    ctx.save();
    ctx.beginPath();
    ctx.roundRect(fieldMargin, this.y, width - 2 * fieldMargin, height, showText ? 6 : 0);
    ctx.fillStyle = palette.field;
    ctx.fill();
    ctx.restore();
  }

  override onClick(): void {
    this.#area?.focus();
  }

  override createCopyForNode(node: LGraphNode): this {
    const copy = new Multiline(
      Object.assign(Object.create(null) as object, {
        name: this.name,
        options: this.options,
        type: this.type,
        value: this.value,
        y: 0,
        label: this.label,
        tooltip: this.tooltip,
        settings: this.settings,
      }),
      node,
    );
    return copy as this;
  }
}

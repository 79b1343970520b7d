import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { IStringWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type {
  DrawWidgetOptions,
  WidgetEventOptions,
} from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { textOf } from '../../text.ts';
import { drawField } from './draw-field.ts';
import { editInline } from './inline-editor.ts';

/** Single-line STRING field, edited in place. */
export class TextLine extends BaseWidget<IStringWidget> implements IStringWidget {
  override type = 'text' as const;
  declare hasError?: boolean;

  constructor(widget: IStringWidget, node: LGraphNode) {
    super(widget, node);
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    drawField(ctx, {
      width,
      y: this.y,
      label: this.displayName,
      value: this.computedDisabled ? '' : textOf(this.value),
      disabled: this.computedDisabled,
      error: this.hasError,
      plain: !showText,
    });
  }

  override onClick(options: WidgetEventOptions): void {
    editInline({
      canvas: options.canvas,
      node: options.node,
      widget: this,
      text: textOf(this.value),
      commit: (text) => this.setValue(text, options),
    });
  }
}

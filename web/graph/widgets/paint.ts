import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type { DrawWidgetOptions } from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { t } from '../../locale/translate.ts';
import { drawField } from './draw-field.ts';

/** PAINTER field: a click opens what is painted over the node's picture. */
export class PaintField extends BaseWidget<ICustomWidget> implements ICustomWidget {
  override type = 'custom' as const;
  declare hasError?: boolean;
  declare press: () => void;

  constructor(widget: ICustomWidget & { press: () => void }, node: LGraphNode) {
    super(widget, node);
    this.press = widget.press;
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    drawField(ctx, {
      width,
      y: this.y,
      label: this.displayName,
      value: this.computedDisabled ? '' : this.value === '' ? t('Paint…') : t('Painted'),
      disabled: this.computedDisabled,
      error: this.hasError,
      plain: !showText,
    });
  }

  override onClick(): void {
    this.press();
  }
}

import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type { DrawWidgetOptions } from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { drawField } from './draw-field.ts';
import { t } from '../../locale/translate.ts';

/** A value this editor has no control for: shown by name, kept and sent exactly as loaded. */
export class Opaque extends BaseWidget<ICustomWidget> implements ICustomWidget {
  override type = 'custom' as const;

  constructor(widget: ICustomWidget, node: LGraphNode) {
    super(widget, node);
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    const text =
      typeof this.value === 'string' && this.value !== '' ? this.value : t('kept as loaded');
    drawField(ctx, {
      width,
      y: this.y,
      label: this.displayName,
      value: text,
      disabled: true,
      plain: !showText,
    });
  }

  override onClick(): void {
    // Nothing to edit here.
  }
}

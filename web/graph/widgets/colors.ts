import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type {
  DrawWidgetOptions,
  WidgetEventOptions,
} from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { t } from '../../locale/translate.ts';
import { colorsList, readColors } from './colors-list.ts';
import { drawField } from './draw-field.ts';
import { openPopUp } from './drop-down.ts';

/** COLORS field: the colours of a list; a click opens them for change. */
export class ColorsField extends BaseWidget<ICustomWidget> implements ICustomWidget {
  override type = 'custom' as const;
  declare hasError?: boolean;

  constructor(widget: ICustomWidget, node: LGraphNode) {
    super(widget, node);
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    const colors = this.computedDisabled ? [] : readColors(this.value);
    drawField(ctx, {
      width,
      y: this.y,
      label: this.displayName,
      value: colors.length === 0 ? t('none') : '',
      swatches: colors,
      disabled: this.computedDisabled,
      error: this.hasError,
      plain: !showText,
    });
  }

  override onClick(options: WidgetEventOptions): void {
    openPopUp({
      className: 'colors-list',
      label: this.displayName,
      at: { x: options.e.clientX, y: options.e.clientY },
      content: colorsList({
        colors: readColors(this.value),
        change: (colors) => {
          this.setValue([...colors], options);
          options.canvas.setDirty(true);
        },
      }),
    });
  }
}

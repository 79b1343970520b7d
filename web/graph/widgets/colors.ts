import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type {
  DrawWidgetOptions,
  WidgetEventOptions,
} from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { t } from '../../locale/translate.ts';
import { drawField } from './draw-field.ts';
import { readColors } from './hex.ts';

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
    void this.#open(options);
  }

  /** The list comes when it is first needed. */
  async #open(options: WidgetEventOptions): Promise<void> {
    const { clientX: x, clientY: y } = options.e;
    const [{ colorsList }, { openPopUp }] = await Promise.all([
      import('./colors-list.ts'),
      import('./pop-up.ts'),
    ]);
    openPopUp({
      className: 'colors-list',
      label: this.displayName,
      at: { x, y },
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

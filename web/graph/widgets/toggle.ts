import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { IBooleanWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type {
  DrawWidgetOptions,
  WidgetEventOptions,
} from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { palette } from '../theme.ts';
import { drawField, fieldHeight, fieldMargin } from './draw-field.ts';

/** BOOLEAN field with its labels for on and off; a click anywhere flips it. */
export class Toggle extends BaseWidget<IBooleanWidget> implements IBooleanWidget {
  override type = 'toggle' as const;
  declare hasError?: boolean;

  constructor(widget: IBooleanWidget, node: LGraphNode) {
    super(widget, node);
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    const on = Boolean(this.value);
    const text = on ? (this.options.on ?? 'true') : (this.options.off ?? 'false');
    drawField(ctx, {
      width: width,
      y: this.y,
      label: this.displayName,
      value: this.computedDisabled ? '' : `${text}        `,
      disabled: this.computedDisabled,
      error: this.hasError,
      plain: !showText,
    });
    if (!showText) return;
    const right = width - fieldMargin - 8;
    const middle = this.y + fieldHeight / 2;
    ctx.save();
    ctx.beginPath();
    ctx.roundRect(right - 20, middle - 5.5, 20, 11, 5.5);
    ctx.fillStyle = on ? palette.accent : palette.fieldHover;
    ctx.fill();
    ctx.beginPath();
    ctx.arc(on ? right - 5.5 : right - 14.5, middle, 4, 0, Math.PI * 2);
    ctx.fillStyle = on ? palette.onAccent : palette.field;
    ctx.fill();
    ctx.restore();
  }

  override onClick(options: WidgetEventOptions): void {
    this.setValue(!this.value, options);
  }
}

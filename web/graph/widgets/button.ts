import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { IButtonWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type {
  DrawWidgetOptions,
  WidgetEventOptions,
} from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { palette } from '../theme.ts';
import { fieldHeight, fieldMargin } from './draw-field.ts';

/** A push button inside a node (uploads); its value is stored in the file, never sent. */
export class PushButton extends BaseWidget<IButtonWidget> implements IButtonWidget {
  override type = 'button' as const;
  clicked = false;
  declare press: () => void;

  constructor(widget: IButtonWidget & { press: () => void }, node: LGraphNode) {
    super(widget, node);
    this.press = widget.press;
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    ctx.save();
    ctx.beginPath();
    ctx.roundRect(fieldMargin, this.y, width - 2 * fieldMargin, fieldHeight, showText ? 6 : 0);
    ctx.fillStyle = palette.fieldButton;
    ctx.fill();
    if (showText) {
      ctx.textAlign = 'center';
      ctx.textBaseline = 'middle';
      ctx.fillStyle = palette.text;
      ctx.fillText(this.displayName, width / 2, this.y + fieldHeight / 2 + 0.5);
    }
    ctx.restore();
  }

  override onClick({ canvas }: WidgetEventOptions): void {
    canvas.setDirty(true);
    this.press();
  }
}

import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type {
  DrawWidgetOptions,
  WidgetEventOptions,
} from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { pictureInto } from '../node-pictures.ts';
import { drawField } from './draw-field.ts';
import { readBox } from './box-shape.ts';

/** BOUNDING_BOX field: a click opens the box over the picture that comes into the node. */
export class BoxField extends BaseWidget<ICustomWidget> implements ICustomWidget {
  override type = 'custom' as const;
  declare hasError?: boolean;

  constructor(widget: ICustomWidget, node: LGraphNode) {
    super(widget, node);
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    const box = readBox(this.value);
    drawField(ctx, {
      width,
      y: this.y,
      label: this.displayName,
      value: `${box.width} × ${box.height} at ${box.x}, ${box.y}`,
      disabled: this.computedDisabled,
      error: this.hasError,
      plain: !showText,
    });
  }

  override onClick(options: WidgetEventOptions): void {
    void this.#open(options);
  }

  /** The editor comes when it is first needed. */
  async #open(options: WidgetEventOptions): Promise<void> {
    const { clientX: x, clientY: y } = options.e;
    const { openBoxEditor } = await import('./box-editor.ts');
    openBoxEditor({
      box: readBox(this.value),
      picture: pictureInto(options.node),
      x,
      y,
      label: this.displayName,
      pick: (box) => {
        this.setValue(box, options);
        options.canvas.setDirty(true);
      },
    });
  }
}

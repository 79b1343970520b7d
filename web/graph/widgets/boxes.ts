import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type {
  DrawWidgetOptions,
  WidgetEventOptions,
} from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { t } from '../../locale/translate.ts';
import { pictureInto } from '../node-pictures.ts';
import { readBoxes } from './boxes-shape.ts';
import { drawField } from './draw-field.ts';

/** BOUNDING_BOXES field: a click opens the boxes over the picture that comes into the node. */
export class BoxesField extends BaseWidget<ICustomWidget> implements ICustomWidget {
  override type = 'custom' as const;
  declare hasError?: boolean;

  constructor(widget: ICustomWidget, node: LGraphNode) {
    super(widget, node);
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    const count = readBoxes(this.value).length;
    drawField(ctx, {
      width,
      y: this.y,
      label: this.displayName,
      value: this.computedDisabled ? '' : count === 0 ? t('none') : t('{count} boxes', { count }),
      swatches: readBoxes(this.value).flatMap(({ metadata }) => metadata.palette.slice(0, 1)),
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
    const { node } = options;
    const at = { x: options.e.clientX, y: options.e.clientY };
    const { openBoxesEditor } = await import('./boxes-editor.ts');
    openBoxesEditor({
      boxes: readBoxes(this.value),
      size: { width: sideOf(node, 'width'), height: sideOf(node, 'height') },
      picture: pictureInto(node),
      at,
      label: this.displayName,
      pick: (boxes) => {
        this.setValue([...boxes], options);
        options.canvas.setDirty(true);
      },
    });
  }
}

/** A side of the canvas that the boxes lie on: a field of the node. */
function sideOf(node: LGraphNode, name: string): number {
  const side = Number(node.widgets?.find((widget) => widget.name === name)?.value);
  return side > 0 ? side : 1024;
}

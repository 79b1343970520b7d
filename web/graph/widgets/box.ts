import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type {
  DrawWidgetOptions,
  WidgetEventOptions,
} from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { imagesOf } from '../node-pictures.ts';
import { openBoxEditor } from './box-editor.ts';
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
    openBoxEditor({
      box: readBox(this.value),
      picture: pictureInto(options.node),
      x: options.e.clientX,
      y: options.e.clientY,
      label: this.displayName,
      pick: (box) => {
        this.setValue(box, options);
        options.canvas.setDirty(true);
      },
    });
  }
}

/** The picture that a node gets, or shows, as far as the page has seen it. */
function pictureInto(
  node: LGraphNode,
): (CanvasImageSource & { width: number; height: number }) | null {
  const sources = node.inputs
    .filter(({ type }) => type === 'IMAGE')
    .map(({ link }) => node.graph?.getLink(link))
    .map((link) => (link ? node.graph?.getNodeById(link.origin_id) : null));
  for (const each of [...sources, node]) {
    const image = each ? imagesOf(each)[0] : undefined;
    if (image !== undefined) return image.source;
  }
  return null;
}

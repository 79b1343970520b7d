import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type { DrawWidgetOptions } from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { palette } from '../theme.ts';
import { fieldMargin } from './draw-field.ts';
import type { NodeImage } from './image-view.ts';

const height = 220;

/** Two pictures over each other (IMAGECOMPARE): the pointer moves the line between them. */
export class CompareView extends BaseWidget<ICustomWidget> implements ICustomWidget {
  override type = 'custom' as const;
  /** The picture left of the line, and the one right of it. */
  pictures: readonly (NodeImage | undefined)[] = [];
  #part = 0.5;

  constructor(widget: ICustomWidget, node: LGraphNode) {
    super(widget, node);
    node.onMouseMove = (_event, [x]) => {
      if (this.pictures.length < 2) return;
      const inner = node.size[0] - 2 * fieldMargin;
      this.#part = Math.min(1, Math.max(0, (x - fieldMargin) / inner));
      node.setDirtyCanvas(true);
    };
  }

  override computeLayoutSize(): { minHeight: number; minWidth: number } {
    return { minHeight: height, minWidth: 120 };
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    const area = {
      x: fieldMargin,
      y: this.y,
      w: width - 2 * fieldMargin,
      h: (this.computedHeight ?? height) - 6,
    };
    ctx.save();
    ctx.beginPath();
    ctx.roundRect(area.x, area.y, area.w, area.h, 6);
    ctx.fillStyle = palette.ground;
    ctx.fill();
    ctx.clip();
    const [left, right] = this.pictures;
    const line = area.x + area.w * this.#part;
    if (left !== undefined) drawFitting(ctx, left, area);
    if (right !== undefined) {
      ctx.save();
      ctx.beginPath();
      ctx.rect(line, area.y, area.x + area.w - line, area.h);
      ctx.clip();
      ctx.fillRect(area.x, area.y, area.w, area.h);
      drawFitting(ctx, right, area);
      ctx.restore();
      ctx.fillStyle = palette.strong;
      ctx.fillRect(line - 0.75, area.y, 1.5, area.h);
    }
    if (showText && left !== undefined && right !== undefined) this.#drawNames(ctx, area);
    ctx.restore();
  }

  override onClick(): void {
    // The line follows the pointer without a press.
  }

  #drawNames(ctx: CanvasRenderingContext2D, area: { x: number; y: number; w: number }): void {
    ctx.font = `600 11px ${ctx.font.replace(/^.*?px /, '')}`;
    ctx.textBaseline = 'top';
    ctx.shadowColor = '#000';
    ctx.shadowBlur = 4;
    ctx.fillStyle = '#fff';
    ctx.textAlign = 'left';
    ctx.fillText('A', area.x + 8, area.y + 8);
    ctx.textAlign = 'right';
    ctx.fillText('B', area.x + area.w - 8, area.y + 8);
  }
}

function drawFitting(
  ctx: CanvasRenderingContext2D,
  { source }: NodeImage,
  area: { x: number; y: number; w: number; h: number },
): void {
  const scale = Math.min(area.w / source.width, area.h / source.height);
  const [w, h] = [source.width * scale, source.height * scale];
  ctx.imageSmoothingQuality = 'high';
  ctx.drawImage(source, area.x + (area.w - w) / 2, area.y + (area.h - h) / 2, w, h);
}

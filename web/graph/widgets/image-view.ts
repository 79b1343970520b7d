import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type { DrawWidgetOptions } from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { palette } from '../theme.ts';
import { fieldMargin } from './draw-field.ts';

/** A picture in a node: a loaded image and where it came from. */
export interface NodeImage {
  readonly source: CanvasImageSource & { readonly width: number; readonly height: number };
  readonly url: string;
  /** A preview of work in progress, replaced by the result. */
  readonly live: boolean;
}

const captionHeight = 16;

/** The pictures at the bottom of a node, in a grid that fills the free space; never saved. */
export class ImageView extends BaseWidget<ICustomWidget> implements ICustomWidget {
  override type = 'custom' as const;
  override serialize = false;
  images: readonly NodeImage[] = [];
  /** Lies over the node's fields while it runs, for there is no room below it. */
  over = false;
  /** Where each picture was drawn last, in node coordinates. */
  #areas: { x: number; y: number; w: number; h: number }[] = [];

  constructor(widget: ICustomWidget, node: LGraphNode) {
    super(widget, node);
  }

  override computeLayoutSize(): { minHeight: number; minWidth: number } {
    return { minHeight: this.over ? 0 : this.wantedHeight(), minWidth: 1 };
  }

  /** The height at which the pictures fill the node's width, small ones at most twice their size. */
  wantedHeight(): number {
    const [first] = this.images;
    if (first === undefined) return 0;
    if (this.images.length > 1) return 220;
    const width = Math.min(this.node.size[0] - 2 * fieldMargin, 2 * first.source.width);
    return Math.min(480, Math.max(80, width / aspectOf(first))) + captionHeight + 6;
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    this.#areas = [];
    const { images } = this;
    if (images.length === 0) return;
    const given = (this.computedHeight ?? 180) - 6;
    const h = this.over ? Math.min(this.wantedHeight(), 0.62 * this.node.size[1]) : given;
    const y = this.over ? this.node.size[1] - h - 8 : this.y;
    const area = { x: fieldMargin, y, w: width - 2 * fieldMargin, h };
    ctx.save();
    ctx.beginPath();
    ctx.roundRect(area.x, area.y, area.w, area.h, 6);
    ctx.fillStyle = palette.field;
    ctx.fill();
    ctx.clip();
    ctx.imageSmoothingQuality = 'high';
    const gridHeight = area.h - captionHeight;
    const cells = gridFor(images.length, area.w, gridHeight, aspectOf(images[0]));
    images.forEach((image, i) => {
      const column = i % cells.columns;
      const row = Math.floor(i / cells.columns);
      const cellWidth = area.w / cells.columns;
      const cellHeight = gridHeight / cells.rows;
      const scale = Math.min(
        (cellWidth - 4) / image.source.width,
        (cellHeight - 4) / image.source.height,
      );
      const w = image.source.width * scale;
      const h = image.source.height * scale;
      const x = area.x + column * cellWidth + (cellWidth - w) / 2;
      const y = area.y + row * cellHeight + (cellHeight - h) / 2;
      ctx.drawImage(image.source, x, y, w, h);
      this.#areas.push({ x, y, w, h });
    });
    if (showText) this.#drawCaption(ctx, area, images[0]);
    ctx.restore();
  }

  #drawCaption(
    ctx: CanvasRenderingContext2D,
    area: { x: number; y: number; w: number; h: number },
    first: NodeImage,
  ): void {
    const many = this.images.length > 1 ? `${this.images.length} × ` : '';
    const text = first.live ? 'preview' : `${many}${first.source.width} × ${first.source.height}`;
    ctx.font = `10px ${ctx.font.replace(/^.*?px /, '')}`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    ctx.fillStyle = first.live ? palette.running : palette.textDim;
    ctx.fillText(text, area.x + area.w / 2, area.y + area.h - captionHeight / 2);
  }

  /** The picture at a point of the node, if any. */
  imageAt(x: number, y: number): number | null {
    const index = this.#areas.findIndex(
      (a) => x >= a.x && x <= a.x + a.w && y >= a.y && y <= a.y + a.h,
    );
    return index < 0 ? null : index;
  }

  override onClick(): void {
    // Clicks fall through to the node (see NoodleNode.getWidgetOnPos).
  }
}

const aspectOf = (image: NodeImage): number => image.source.width / image.source.height;

/** Columns and rows that show `count` pictures of one aspect as large as possible. */
export function gridFor(
  count: number,
  width: number,
  height: number,
  aspect: number,
): { columns: number; rows: number } {
  let best = { columns: 1, rows: count };
  let bestWidth = 0;
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const shown = Math.min(width / columns, (height / rows) * aspect);
    if (shown > bestWidth) {
      bestWidth = shown;
      best = { columns, rows };
    }
  }
  return best;
}

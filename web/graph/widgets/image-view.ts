import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type { DrawWidgetOptions } from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { palette } from '../theme.ts';
import { fieldMargin } from './draw-field.ts';
import { isInside, placeInside, placesInGrid, type Area } from './picture-grid.ts';

/** A picture in a node: a loaded image and where it came from. */
export interface NodeImage {
  readonly source: CanvasImageSource & { readonly width: number; readonly height: number };
  readonly url: string;
  /** A preview of work in progress, replaced by the result. */
  readonly live: boolean;
}

/** Something in the view that can be pressed. */
interface Spot extends Area {
  readonly press: () => void;
}

const captionHeight = 16;
const buttonSize = 24;

/** What the buttons of an opened picture show, in a square of 24. */
const signs = {
  back: 'M14 6l-6 6 6 6',
  on: 'M10 6l6 6-6 6',
  all: 'M7 7l10 10M17 7L7 17',
} as const;

/**
 * The pictures at the bottom of a node, never saved: one fills the free space; many lie in a grid,
 * where a press opens one of them, with arrows to its neighbours and a cross back to all.
 */
export class ImageView extends BaseWidget<ICustomWidget> implements ICustomWidget {
  override type = 'custom' as const;
  override serialize = false;
  /** Lies over the node's fields while it runs, for there is no room below it. */
  over = false;
  #images: readonly NodeImage[] = [];
  #opened: number | null = null;
  /** Where each picture was drawn last, in node coordinates; null: it was not. */
  #places: readonly (Area | null)[] = [];
  #spots: Spot[] = [];
  #pointer: ArrayLike<number> | null = null;

  constructor(widget: ICustomWidget, node: LGraphNode) {
    super(widget, node);
  }

  get images(): readonly NodeImage[] {
    return this.#images;
  }

  /** Other pictures are shown all at once again. */
  set images(images: readonly NodeImage[]) {
    this.#images = images;
    this.#opened = null;
  }

  /** Which of many pictures is shown alone; null while all are. */
  get opened(): number | null {
    return this.#opened;
  }

  /** Shows one of many alone (counted round), or all of them (null). */
  open(index: number | null): void {
    const count = this.#images.length;
    this.#opened = index === null || count < 2 ? null : (index + count) % count;
    this.node.setDirtyCanvas(true);
  }

  override computeLayoutSize(): { minHeight: number; minWidth: number } {
    return { minHeight: this.over ? 0 : this.wantedHeight(), minWidth: 1 };
  }

  /** The height at which the pictures fill the node's width, small ones at most twice their size. */
  wantedHeight(): number {
    const [first] = this.images;
    if (first === undefined) return 0;
    if (this.images.length > 1) return 220;
    const { width, height } = first.source;
    const shown = Math.min(this.node.size[0] - 2 * fieldMargin, 2 * width);
    return Math.min(480, Math.max(80, (shown * height) / width)) + captionHeight + 6;
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    this.#spots = [];
    const { images } = this;
    if (images.length === 0) return;
    const area = this.#areaFor(width);
    const room = { ...area, h: area.h - captionHeight };
    ctx.save();
    ctx.beginPath();
    ctx.roundRect(area.x, area.y, area.w, area.h, 6);
    ctx.fillStyle = palette.field;
    ctx.fill();
    ctx.clip();
    ctx.imageSmoothingQuality = 'high';
    const opened = this.#opened;
    this.#places =
      opened === null
        ? placesInGrid(
            images.map(({ source }) => source),
            room,
          )
        : images.map(({ source }, i) => (i === opened ? placeInside(source, room) : null));
    this.#places.forEach((place, i) => {
      if (place !== null) ctx.drawImage(images[i].source, place.x, place.y, place.w, place.h);
    });
    if (images.length > 1) {
      if (opened === null) this.#drawChoice(ctx);
      else if (showText) this.#drawButtons(ctx, room, opened);
    }
    if (showText) this.#drawCaption(ctx, area);
    ctx.restore();
  }

  #areaFor(width: number): Area {
    const given = (this.computedHeight ?? 180) - 6;
    const h = this.over ? Math.min(this.wantedHeight(), 0.62 * this.node.size[1]) : given;
    const y = this.over ? this.node.size[1] - h - 8 : this.y;
    return { x: fieldMargin, y, w: width - 2 * fieldMargin, h };
  }

  /** Every picture of the grid opens when it is pressed; the one under the pointer says so. */
  #drawChoice(ctx: CanvasRenderingContext2D): void {
    this.#places.forEach((place, i) => {
      if (place === null) return;
      this.#spots.push({ ...place, press: () => this.open(i) });
      if (this.#pointer === null || !isInside(place, this.#pointer[0], this.#pointer[1])) return;
      ctx.strokeStyle = palette.accent;
      ctx.lineWidth = 2;
      ctx.strokeRect(place.x + 1, place.y + 1, place.w - 2, place.h - 2);
    });
  }

  #drawButtons(ctx: CanvasRenderingContext2D, { x, y, w, h }: Area, opened: number): void {
    const middle = y + (h - buttonSize) / 2;
    const right = x + w - buttonSize - 6;
    this.#drawButton(ctx, signs.back, [x + 6, middle], () => this.open(opened - 1));
    this.#drawButton(ctx, signs.on, [right, middle], () => this.open(opened + 1));
    this.#drawButton(ctx, signs.all, [right, y + 6], () => this.open(null));
  }

  #drawButton(
    ctx: CanvasRenderingContext2D,
    sign: string,
    [x, y]: readonly [number, number],
    press: () => void,
  ): void {
    const spot = { x, y, w: buttonSize, h: buttonSize, press };
    this.#spots.push(spot);
    const hovered = this.#pointer !== null && isInside(spot, this.#pointer[0], this.#pointer[1]);
    ctx.save();
    ctx.translate(x, y);
    ctx.beginPath();
    ctx.roundRect(0, 0, buttonSize, buttonSize, 6);
    ctx.fillStyle = hovered ? palette.accent : palette.raised;
    ctx.fill();
    ctx.strokeStyle = hovered ? palette.onAccent : palette.text;
    ctx.lineWidth = 1.8;
    ctx.lineCap = 'round';
    ctx.lineJoin = 'round';
    ctx.stroke(new Path2D(sign));
    ctx.restore();
  }

  #drawCaption(ctx: CanvasRenderingContext2D, area: Area): void {
    const shown = this.images[this.#opened ?? 0];
    const { width, height } = shown.source;
    const count = this.images.length;
    const which =
      count < 2
        ? ''
        : this.#opened === null
          ? `${count} × `
          : `${this.#opened + 1} / ${count}  ·  `;
    ctx.font = `10px ${ctx.font.replace(/^.*?px /, '')}`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    ctx.fillStyle = shown.live ? palette.running : palette.textDim;
    const text = shown.live ? 'preview' : `${which}${width} × ${height}`;
    ctx.fillText(text, area.x + area.w / 2, area.y + area.h - captionHeight / 2);
  }

  /** The picture at a point of the node, if any. */
  imageAt(x: number, y: number): number | null {
    const index = this.#places.findIndex((place) => place !== null && isInside(place, x, y));
    return index < 0 ? null : index;
  }

  /** What a press at a point of the node does; null where it does nothing. */
  pressAt(x: number, y: number): Spot['press'] | null {
    return this.#spotAt(x, y)?.press ?? null;
  }

  /** The pointer is there now, or has left (null); returns whether something can be pressed. */
  hover(at: ArrayLike<number> | null): boolean {
    const before =
      this.#pointer === null ? undefined : this.#spotAt(this.#pointer[0], this.#pointer[1]);
    const now = at === null ? undefined : this.#spotAt(at[0], at[1]);
    this.#pointer = at;
    if (before !== now) this.node.setDirtyCanvas(true);
    return now !== undefined;
  }

  #spotAt(x: number, y: number): Spot | undefined {
    return this.#spots.find((spot) => isInside(spot, x, y));
  }

  override onClick(): void {
    // Clicks fall through to the node (see NoodleNode.getWidgetOnPos).
  }
}

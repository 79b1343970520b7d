import { BaseWidget, type CanvasPointer, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type { DrawWidgetOptions } from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { palette } from '../theme.ts';
import { curveFunction, readCurve, type CurvePoint, type CurveValue } from './curve-shape.ts';
import { fieldMargin } from './draw-field.ts';

const height = 170;
const inset = 10;
/** How near the pointer must be to a point, in graph units. */
const reach = 9;

/** CURVE field: points are dragged, added by a click, and taken away by dragging them out. */
export class CurveField extends BaseWidget<ICustomWidget> implements ICustomWidget {
  override type = 'custom' as const;
  declare edited: () => void;
  #width = 0;

  constructor(widget: ICustomWidget & { edited: () => void }, node: LGraphNode) {
    super(widget, node);
    this.edited = widget.edited;
  }

  get curve(): CurveValue {
    return readCurve(this.value);
  }

  override computeLayoutSize(): { minHeight: number; minWidth: number } {
    return { minHeight: height, minWidth: 160 };
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    this.#width = width;
    const { x, y, w, h } = this.#area();
    ctx.save();
    ctx.beginPath();
    ctx.roundRect(x - inset, y - inset, w + 2 * inset, h + 2 * inset, 6);
    ctx.fillStyle = palette.field;
    ctx.fill();
    ctx.strokeStyle = palette.fieldBorder;
    ctx.lineWidth = 1;
    ctx.stroke();
    ctx.globalAlpha = 0.5;
    for (const part of [0.25, 0.5, 0.75]) {
      ctx.strokeRect(x + part * w, y, 0, h);
      ctx.strokeRect(x, y + part * h, w, 0);
    }
    ctx.globalAlpha = 1;
    const at = curveFunction(this.curve);
    ctx.beginPath();
    for (let i = 0; i <= 80; i++) ctx.lineTo(x + (i / 80) * w, y + (1 - clamp(at(i / 80))) * h);
    ctx.strokeStyle = palette.accent;
    ctx.lineWidth = 2;
    ctx.stroke();
    if (showText) {
      for (const [px, py] of this.curve.points) {
        ctx.beginPath();
        ctx.arc(x + px * w, y + (1 - py) * h, 4, 0, 2 * Math.PI);
        ctx.fillStyle = palette.field;
        ctx.fill();
        ctx.stroke();
      }
    }
    ctx.restore();
  }

  override onPointerDown(pointer: CanvasPointer, node: LGraphNode): boolean {
    const { eDown } = pointer;
    if (eDown === undefined || eDown.button !== 0) return false;
    const place = (event: { canvasX: number; canvasY: number }): CurvePoint => {
      const { x, y, w, h } = this.#area();
      return [(event.canvasX - node.pos[0] - x) / w, 1 - (event.canvasY - node.pos[1] - y) / h];
    };
    const down = place(eDown);
    const held = this.#pointAt(down);
    const others = this.curve.points.filter((_, i) => i !== held);
    const put = (point: CurvePoint): void => {
      const outside = point[1] < -0.25 || point[1] > 1.25;
      const gone = outside && others.length >= 2;
      const all = gone ? others : [...others, [clamp(point[0]), clamp(point[1])] as const];
      this.value = { ...this.curve, points: all.toSorted((a, b) => a[0] - b[0]) };
      node.setDirtyCanvas(true);
    };
    if (held < 0) put(down);
    pointer.onDrag = (event) => put(place(event));
    pointer.finally = () => this.edited();
    return true;
  }

  override onClick(): void {
    // A press adds a point already.
  }

  #pointAt([x, y]: CurvePoint): number {
    const { w, h } = this.#area();
    return this.curve.points.findIndex(
      ([px, py]) => Math.hypot((px - x) * w, (py - y) * h) <= reach,
    );
  }

  /** Where 0..1 lies, in coordinates of the node. */
  #area(): { x: number; y: number; w: number; h: number } {
    return {
      x: fieldMargin + inset,
      y: this.y + inset,
      w: this.#width - 2 * (fieldMargin + inset),
      h: (this.computedHeight ?? height) - 6 - 2 * inset,
    };
  }
}

const clamp = (x: number): number => Math.min(1, Math.max(0, x));

import { BaseSteppedWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { INumericWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type {
  DrawWidgetOptions,
  WidgetEventOptions,
} from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { evaluate } from '../arithmetic.ts';
import { addInt, clampInt, snapInt, toInt, type Int } from '../integer.ts';
import type { InputSpec } from '../input-spec.ts';
import { drawField } from './draw-field.ts';
import { editInline } from './inline-editor.ts';

const arrowZone = 30;

/** What a number field allows; bounds of seeds may be bigints. */
export interface NumberLimits {
  readonly integer: boolean;
  readonly min: Int | null;
  readonly max: Int | null;
  readonly step: number;
  readonly round: number | null;
  readonly precision: number;
  readonly slider: boolean;
}

/** Limits of an INT or FLOAT input, with ComfyUI's defaults for what it leaves out. */
export function numberLimits(spec: InputSpec): NumberLimits {
  const { options } = spec;
  const integer = spec.widget === 'int';
  const bound = (value: unknown): Int | null =>
    integer ? toInt(value) : typeof value === 'number' ? value : null;
  const given = Number(options.step);
  const step = given > 0 ? given : integer ? 1 : 0.5;
  const precision = integer ? 0 : Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const rounding = typeof options.round === 'number' && options.round > 0 ? options.round : null;
  return {
    integer,
    min: bound(options.min),
    max: bound(options.max),
    step,
    round: integer || options.round === false ? null : (rounding ?? 10 ** -precision),
    precision: rounding === null ? precision : Math.max(precision, decimals(rounding)),
    slider: options.display === 'slider',
  };
}

/** Brings a typed or stepped value into the limits, as ComfyUI does when a widget changes. */
export function constrain(value: Int, limits: NumberLimits): Int {
  if (limits.integer) {
    const whole = typeof value === 'bigint' ? value : Math.round(value);
    return clampInt(snapInt(whole, limits.step, limits.min), limits.min, limits.max);
  }
  let x = Number(value);
  if (limits.round !== null) {
    x = Number((Math.round((x + Number.EPSILON) / limits.round) * limits.round).toFixed(10));
  }
  return clampInt(x, limits.min, limits.max);
}

/** INT and FLOAT field: arrows, drag to change, click to type (arithmetic allowed); 64-bit exact. */
export class NumberBox extends BaseSteppedWidget<INumericWidget> implements INumericWidget {
  override type = 'number' as const;
  declare limits: NumberLimits;
  declare hasError?: boolean;
  #dragRest = 0;

  constructor(widget: INumericWidget & { limits: NumberLimits }, node: LGraphNode) {
    super(widget, node);
    this.limits = widget.limits;
  }

  /** The value as an exact integer or float (litegraph types it as number only). */
  get exact(): Int {
    return this.value;
  }

  override get value(): number {
    return super.value;
  }

  override set value(value: number) {
    // Pasted seeds arrive as digits (JSON of the clipboard has no big integers).
    const raw: unknown = value;
    super.value = (
      this.limits?.integer && typeof raw === 'string' ? (toInt(raw) ?? raw) : raw
    ) as number;
  }

  override get _displayValue(): string {
    if (typeof this.exact === 'bigint' || this.limits.integer) return String(this.value);
    return typeof this.value === 'number'
      ? this.value.toFixed(this.limits.precision)
      : String(this.value);
  }

  override canIncrement(): boolean {
    return this.limits.max === null || this.exact < this.limits.max;
  }

  override canDecrement(): boolean {
    return this.limits.min === null || this.exact > this.limits.min;
  }

  override incrementValue(options: WidgetEventOptions): void {
    this.#stepBy(1, options);
  }

  override decrementValue(options: WidgetEventOptions): void {
    this.#stepBy(-1, options);
  }

  /** Sets a value as a user edit: constrained, callback and node notified. */
  setExact(value: Int, options: WidgetEventOptions): void {
    const old = this.value;
    const next = constrain(value, this.limits) as number;
    if (next === old) return;
    this.value = next;
    this.callback?.(next, options.canvas, options.node, options.canvas.graph_mouse, options.e);
    options.node.onWidgetChanged?.(this.name, next, old, this);
    if (options.node.graph) options.node.graph._version++;
  }

  override setValue(value: number, options: WidgetEventOptions): void {
    this.setExact(value, options);
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    const { min, max, slider } = this.limits;
    const ranged = slider && min !== null && max !== null && max > min;
    drawField(ctx, {
      width,
      y: this.y,
      label: this.displayName,
      value: this.computedDisabled ? '' : this._displayValue,
      arrows: { left: this.canDecrement(), right: this.canIncrement() },
      disabled: this.computedDisabled,
      error: this.hasError,
      plain: !showText,
      fill: ranged ? (Number(this.value) - Number(min)) / (Number(max) - Number(min)) : undefined,
    });
  }

  override onClick(options: WidgetEventOptions): void {
    const x = options.e.canvasX - options.node.pos[0];
    const width = this.width ?? options.node.size[0];
    if (x < arrowZone) return this.#stepBy(-1, options);
    if (x > width - arrowZone) return this.#stepBy(1, options);
    editInline({
      canvas: options.canvas,
      node: options.node,
      widget: this,
      text: this.limits.integer ? String(this.value) : this._displayValue,
      commit: (text) => {
        const value = this.limits.integer ? (toInt(text) ?? evaluate(text)) : evaluate(text);
        if (value !== null) this.setExact(value, options);
      },
    });
  }

  override onDrag(options: WidgetEventOptions): void {
    const moved = options.e.deltaX ?? 0;
    const { min, max, slider } = this.limits;
    if (slider && min !== null && max !== null) {
      const x = options.e.canvasX - options.node.pos[0] - 12;
      const part = Math.min(1, Math.max(0, x / ((this.width ?? options.node.size[0]) - 24)));
      this.setExact(Number(min) + part * (Number(max) - Number(min)), options);
      return;
    }
    this.#dragRest += moved / 2;
    const steps = Math.trunc(this.#dragRest);
    this.#dragRest -= steps;
    if (steps !== 0) this.#stepBy(steps, options);
  }

  #stepBy(count: number, options: WidgetEventOptions): void {
    const { integer, step } = this.limits;
    const next = integer
      ? addInt(this.exact, Math.round(step) * count)
      : Number(this.value) + step * count;
    this.setExact(next, options);
  }
}

const decimals = (x: number): number => {
  const [mantissa, exponent = '0'] = String(x).split('e');
  return Math.max(0, (mantissa.split('.')[1]?.length ?? 0) - Number(exponent));
};

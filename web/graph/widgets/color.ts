import { BaseWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { ICustomWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type {
  DrawWidgetOptions,
  WidgetEventOptions,
} from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { textOf } from '../../text.ts';
import { readHex } from './hex.ts';
import { drawField } from './draw-field.ts';

/** How a colour is stored: as `#rrggbb`, or as the number that these digits are. */
export interface ColorForm {
  readonly toHex: (value: unknown) => string;
  readonly fromHex: (hex: string) => string | number;
}

export const hexText: ColorForm = {
  toHex: (value) => readHex(textOf(value)) ?? '#000000',
  fromHex: (hex) => hex,
};

export const hexNumber: ColorForm = {
  toHex: (value) => `#${(Number(value) & 0xffffff).toString(16).padStart(6, '0')}`,
  fromHex: (hex) => parseInt(hex.slice(1), 16),
};

/** COLOR field, and INT fields that are colours: a swatch that opens a picker. */
export class ColorField extends BaseWidget<ICustomWidget> implements ICustomWidget {
  override type = 'custom' as const;
  declare form: ColorForm;
  declare hasError?: boolean;

  constructor(widget: ICustomWidget & { form: ColorForm }, node: LGraphNode) {
    super(widget, node);
    this.form = widget.form;
  }

  get hex(): string {
    return this.form.toHex(this.value);
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    drawField(ctx, {
      width,
      y: this.y,
      label: this.displayName,
      value: this.computedDisabled ? '' : this.hex,
      swatches: this.computedDisabled ? [] : [this.hex],
      disabled: this.computedDisabled,
      error: this.hasError,
      plain: !showText,
    });
  }

  override onClick(options: WidgetEventOptions): void {
    void this.#open(options);
  }

  /** The picker comes when it is first needed. */
  async #open(options: WidgetEventOptions): Promise<void> {
    const { clientX: x, clientY: y } = options.e;
    const { openColorPicker } = await import('./color-picker.ts');
    openColorPicker({
      color: this.hex,
      x,
      y,
      label: this.displayName,
      pick: (hex) => {
        this.setValue(this.form.fromHex(hex) as never, options);
        options.canvas.setDirty(true);
      },
    });
  }
}

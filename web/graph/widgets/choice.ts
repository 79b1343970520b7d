import { BaseSteppedWidget, type LGraphNode } from '@comfyorg/litegraph';
import type { IComboWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type {
  DrawWidgetOptions,
  WidgetEventOptions,
} from '@comfyorg/litegraph/dist/widgets/BaseWidget';
import { drawField } from './draw-field.ts';
import { isElsewhere } from '../input-spec.ts';
import { isModelFile } from '../../models/model-file-name.ts';
import type { ModelPictures, Pictures } from '../../models/model-files.ts';
import { openChoiceList } from './choice-list.ts';
import type { FileListOptions } from './file-list.ts';

/** What a field for files offers besides its choices. */
export type FileChoice = Pick<FileListOptions, 'kind' | 'source' | 'directory' | 'upload'>;

/** Combo field: arrows step through the choices, a click opens a list with a filter. */
export class Choice extends BaseSteppedWidget<IComboWidget> implements IComboWidget {
  override type = 'combo' as const;
  declare hasError?: boolean;
  /** The files that it takes, where it does: also those of folders below, and of other ones. */
  declare files: FileChoice | null;
  /** Where pictures of the choices are found, where they are model files. */
  declare pictures: ModelPictures | null;

  constructor(
    widget: IComboWidget & { files?: FileChoice | null; pictures?: ModelPictures },
    node: LGraphNode,
  ) {
    super(widget, node);
    this.files = widget.files ?? null;
    this.pictures = widget.pictures ?? null;
  }

  get choices(): (string | number)[] {
    const { values } = this.options;
    return Array.isArray(values) ? values : [];
  }

  override get _displayValue(): string {
    return this.computedDisabled ? '' : String(this.value ?? '');
  }

  /** A stored value that the server no longer offers (a model that is not here). */
  get unknown(): boolean {
    if (this.files !== null && isElsewhere(String(this.value))) return false;
    return this.choices.length > 0 && !this.choices.includes(this.value);
  }

  override canIncrement(): boolean {
    return this.choices.length > 1 && this.choices.at(-1) !== this.value;
  }

  override canDecrement(): boolean {
    return this.choices.length > 1 && this.choices[0] !== this.value;
  }

  override incrementValue(options: WidgetEventOptions): void {
    this.#stepBy(1, options);
  }

  override decrementValue(options: WidgetEventOptions): void {
    this.#stepBy(-1, options);
  }

  override drawWidget(ctx: CanvasRenderingContext2D, { width, showText }: DrawWidgetOptions): void {
    drawField(ctx, {
      width,
      y: this.y,
      label: this.displayName,
      value: this._displayValue,
      arrows: { left: this.canDecrement(), right: this.canIncrement() },
      disabled: this.computedDisabled,
      error: this.hasError || this.unknown,
      plain: !showText,
    });
  }

  override onClick(options: WidgetEventOptions): void {
    const x = options.e.canvasX - options.node.pos[0];
    const width = this.width ?? options.node.size[0];
    if (x < 30) return this.decrementValue(options);
    if (x > width - 30) return this.incrementValue(options);
    const list = {
      choices: this.choices,
      current: this.value,
      x: options.e.clientX,
      y: options.e.clientY,
      label: this.displayName,
      pick: (value: string | number) => {
        // A file that came after the node was made.
        if (this.files !== null && !this.choices.includes(value)) this.choices.push(value);
        this.setValue(value, options);
        options.canvas.setDirty(true, true);
      },
    };
    if (this.files === null) openChoiceList({ ...list, pictures: this.#picturesOf() });
    else {
      const { files } = this;
      void import('./file-list.ts').then(({ openFileList }) => openFileList({ ...list, ...files }));
    }
  }

  #picturesOf(): Promise<Pictures> | null {
    return this.choices.some(isModelFile) ? (this.pictures?.(this.choices) ?? null) : null;
  }

  #stepBy(delta: number, options: WidgetEventOptions): void {
    const { choices } = this;
    if (choices.length === 0) return;
    const at = choices.indexOf(this.value);
    const next = Math.min(choices.length - 1, Math.max(0, at + delta));
    this.setValue(choices[next], options);
  }
}

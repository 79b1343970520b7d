import { LGraphBadge, LGraphNode } from '@comfyorg/litegraph';
import type { ISerialisedNode } from '@comfyorg/litegraph/dist/types/serialisation';
import type { IBaseWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type { NodeInfo } from '../api/types.ts';
import { addBadge } from './badges.ts';
import { withoutGrowing } from './growing-inputs.ts';
import { inputSpecs, isRecord, type InputSpec } from './input-spec.ts';
import { rememberSource, restoreSource } from './source.ts';
import { storedForm } from './node-texts.ts';
import { drawProgress, outlineStatus } from './node-status.ts';
import { chooseStored } from './widgets/dynamic-choice.ts';
import { ImageView } from './widgets/image-view.ts';

/** Keys of a stored node that are read; everything else is only kept (see source.ts). */
const knownKeys = [
  'id',
  'type',
  'title',
  'pos',
  'size',
  'flags',
  'order',
  'mode',
  'inputs',
  'outputs',
  'properties',
  'shape',
  'color',
  'bgcolor',
  'boxcolor',
  'showAdvanced',
  'widgets_values',
] as const;

/** Base of all nodes of the editor: lossless loading and saving, running state, pictures. */
export class NoodleNode extends LGraphNode {
  info: NodeInfo | null = null;
  specs: readonly InputSpec[] = [];

  constructor(title: string, type?: string) {
    super(title, type);
    this.serialize_widgets = true;
    outlineStatus(this);
  }

  override configure(info: ISerialisedNode): void {
    const known = Object.fromEntries(
      knownKeys.filter((key) => key in info).map((key) => [key, info[key]]),
    ) as unknown as ISerialisedNode;
    chooseStored(this, info.widgets_values);
    this.fitSlots(known);
    known.widgets_values = this.arrangeValues(info.widgets_values) as never;
    withoutGrowing(this, () => super.configure(known));
    rememberSource(this, info);
  }

  override serialize(): ISerialisedNode {
    return storedForm(this, () => {
      const saved = super.serialize();
      // litegraph writes by widget index, holes included; stored lists are dense.
      const widgets = (this.widgets ?? []).filter((w) => w.serialize !== false);
      if (widgets.length > 0) saved.widgets_values = widgets.map((w) => w.value);
      else delete saved.widgets_values;
      return restoreSource(this, saved);
    });
  }

  /** Brings stored slots and declared slots together; nodes without a declaration keep theirs. */
  protected fitSlots(info: ISerialisedNode): void {
    if (this.info === null) return;
    const declared = new Map((this.inputs ?? []).map((slot) => [slot.name, slot]));
    const stored = Array.isArray(info.inputs) ? info.inputs : [];
    // The file's order stays, so that link slots keep their numbers; new sockets follow.
    const inputs = stored.map((slot) => {
      const own = declared.get(slot.name);
      if (own === undefined) return slot;
      declared.delete(slot.name);
      const { widget: _stored, ...rest } = slot;
      return {
        ...rest,
        type: own.type,
        shape: own.shape,
        ...(own.widget ? { widget: { name: own.widget.name } } : {}),
      };
    });
    for (const slot of declared.values()) {
      const { name, type, shape, widget } = slot;
      inputs.push({
        name,
        type,
        shape,
        link: null,
        ...(widget ? { widget: { name: widget.name } } : {}),
      });
    }
    info.inputs = inputs;
    if (Array.isArray(info.outputs)) {
      info.outputs = info.outputs.map((slot, i) => {
        const own = this.outputs[i] as (typeof this.outputs)[number] | undefined;
        return own === undefined ? slot : { ...slot, type: own.type, shape: own.shape };
      });
    }
  }

  /** Stored widget values in the order of this node's widgets. */
  protected arrangeValues(values: unknown): unknown {
    const widgets = (this.widgets ?? []).filter((w) => w.serialize !== false);
    if (isRecord(values)) return widgets.map((w) => (w.name in values ? values[w.name] : w.value));
    if (!Array.isArray(values)) return undefined;
    // Front ends before 1.16 stored a dummy value for sockets that are only forced inputs.
    const forced = this.specs.filter((s) => s.options.forceInput === true && isValueType(s.type));
    if (forced.length === 0 || values.length !== widgets.length + forced.length) return values;
    const names = this.specs.flatMap((s) =>
      forced.includes(s) ? [null] : s.widget === null ? [] : s.controlled ? [s, s] : [s],
    );
    return values.filter((_, i) => names[i] !== null);
  }

  // Pictures are part of the node's body: it can be dragged by them.
  override getWidgetOnPos(
    x: number,
    y: number,
    includeDisabled?: boolean,
  ): IBaseWidget | undefined {
    const widget = super.getWidgetOnPos(x, y, includeDisabled);
    return widget instanceof ImageView ? undefined : widget;
  }

  override drawProgressBar(ctx: CanvasRenderingContext2D): void {
    drawProgress(this, ctx);
  }
}

const isValueType = (type: string): boolean =>
  ['INT', 'FLOAT', 'BOOLEAN', 'STRING', 'COMBO'].includes(type);

/** Fills in specs and the marks of a declared node; the constructor of its class calls this. */
export function describe(node: NoodleNode, info: NodeInfo): void {
  node.info = info;
  node.specs = inputSpecs(info);
  addBadge(node);
  const mark = info.deprecated ? 'deprecated' : info.experimental ? 'experimental' : null;
  if (mark !== null) {
    node.badges.push(
      new LGraphBadge({
        text: mark,
        fgColor: '#1b1c21', // on both of them, in every theme
        bgColor: mark === 'deprecated' ? '#d08770' : '#8fb4d8',
        fontSize: 10,
        padding: 5,
        height: 15,
        cornerRadius: 4,
      }),
    );
  }
}

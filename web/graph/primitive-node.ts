import type { LGraphNode } from '@comfyorg/litegraph';
import type { ISerialisedNode } from '@comfyorg/litegraph/dist/types/serialisation';
import type { IBaseWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type { EditorHooks } from './hooks.ts';
import { inputSpec, type InputSpec } from './input-spec.ts';
import { NoodleNode } from './node.ts';
import { settleValues, storedValues } from './source.ts';
import { makeSeedControl } from './widgets/seed-control.ts';
import { makeWidget } from './widgets/make-widget.ts';

/** Primitive nodes of one graph that still have to find out what they feed (after loading). */
export interface Primitive extends NoodleNode {
  /** Makes the field of the input this node is connected to, holding the stored value. */
  settle(): void;
}

export const isPrimitive = (node: LGraphNode): node is Primitive => node.type === 'PrimitiveNode';

/** ComfyUI's PrimitiveNode: one output that becomes the field of whatever input it feeds. */
export function primitiveNodeClass(hooks: EditorHooks): typeof LGraphNode {
  return class PrimitiveNode extends NoodleNode implements Primitive {
    static override title = 'Primitive';
    static override type = 'PrimitiveNode';

    constructor(title: string) {
      super(title || 'Primitive', 'PrimitiveNode');
      this.isVirtualNode = true;
      this.addOutput('connect to widget input', '*');
      this.setSize([210, 58]);
      this.onConnectionsChange = (side) => {
        if (side === 2 && this.graph !== null && this.#loaded) this.#follow();
      };
      this.onAdded = () => {
        this.#loaded = true;
      };
    }

    #loaded = false;

    override configure(info: ISerialisedNode): void {
      // While a whole graph loads, links come and go; settle() follows when all nodes are there.
      if (this.graph !== null) this.#loaded = false;
      super.configure(info);
    }

    settle(): void {
      this.#loaded = true;
      const values = storedValues(this);
      const list: unknown[] = Array.isArray(values) ? values : [];
      const spec = this.#targetSpec() ?? guessSpec(list[0]);
      if (spec === null || this.#connected() === 0) return;
      this.#makeFields(spec, list);
      settleValues(this);
    }

    #connected(): number {
      return this.outputs[0]?.links?.length ?? 0;
    }

    /** A link was made or removed by hand. */
    #follow(): void {
      const [output] = this.outputs;
      if (this.#connected() === 0) {
        for (const widget of [...(this.widgets ?? [])]) this.removeWidget(widget);
        output.type = '*';
        output.name = 'connect to widget input';
        return;
      }
      if ((this.widgets?.length ?? 0) > 0) return;
      const spec = this.#targetSpec();
      if (spec === null) return;
      output.type = spec.type;
      output.name = spec.type;
      const stored = storedValues(this);
      const target = this.#targetWidget();
      const values: unknown[] = Array.isArray(stored) ? stored : [];
      this.#makeFields(spec, values.length > 0 || target === undefined ? values : [target.value]);
    }

    #makeFields(spec: InputSpec, values: readonly unknown[]): void {
      const field = makeWidget(this, { ...spec, name: 'value' }, hooks);
      this.addCustomWidget(field);
      if (spec.widget === 'int' || spec.widget === 'float' || spec.widget === 'combo') {
        const control = makeSeedControl(this, spec.widget === 'combo', 'fixed');
        this.addCustomWidget(control);
        field.linkedWidgets = [control];
        if (typeof values[1] === 'string') control.value = values[1];
      }
      if (values.length > 0) field.value = values[0] as IBaseWidget['value'];
      const needed = this.computeSize();
      this.setSize([Math.max(this.size[0], needed[0]), Math.max(this.size[1], needed[1])]);
    }

    #target(): { node: LGraphNode; slot: number } | null {
      const link = this.graph?.getLink(this.outputs[0]?.links?.[0]);
      const node = link ? this.graph?.getNodeById(link.target_id) : null;
      return link && node ? { node, slot: link.target_slot } : null;
    }

    #targetWidget(): IBaseWidget | undefined {
      const target = this.#target();
      const input = target?.node.inputs[target.slot];
      return input && target ? target.node.getWidgetFromSlot(input) : undefined;
    }

    #targetSpec(): InputSpec | null {
      const target = this.#target();
      if (target === null) return null;
      const input = target.node.inputs[target.slot];
      if (input === undefined) return null;
      const specs = target.node instanceof NoodleNode ? target.node.specs : [];
      const spec = specs.find((s) => s.name === (input.widget?.name ?? input.name));
      if (spec !== undefined) {
        // A forced input has no field of its own, but its description still says what it takes.
        return spec.widget !== null
          ? spec
          : inputSpec(spec.name, [spec.type, { ...spec.options, forceInput: false }], true);
      }
      const widget = target.node.getWidgetFromSlot(input);
      return widget === undefined ? null : guessSpec(widget.value);
    }
  };
}

/** A field for a value whose input is unknown (missing node packs). */
function guessSpec(value: unknown): InputSpec | null {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) {
    return inputSpec('value', ['INT', {}], true);
  }
  if (typeof value === 'number') return inputSpec('value', ['FLOAT', { step: 0.01 }], true);
  if (typeof value === 'boolean') return inputSpec('value', ['BOOLEAN', {}], true);
  if (typeof value === 'string') {
    return inputSpec('value', ['STRING', { multiline: value.includes('\n') }], true);
  }
  return null;
}

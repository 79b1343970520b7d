import type { LGraphNode } from '@comfyorg/litegraph';
import type { IBaseWidget } from '@comfyorg/litegraph/dist/types/widgets';
import type { EditorHooks } from '../graph/hooks.ts';
import { inputSpec } from '../graph/input-spec.ts';
import { addInputWidgets } from '../graph/widgets/make-widget.ts';

/** Makes the widget of one input: `ComfyWidgets.STRING(node, 'text', ['STRING', {…}], app)`. */
export type WidgetMaker = (
  node: LGraphNode,
  name: string,
  data: unknown,
  app?: unknown,
) => { widget: IBaseWidget } | undefined;

/** `ComfyWidgets`: our own fields, made the way packs ask for them. */
export function createComfyWidgets(hooks: EditorHooks): Record<string, WidgetMaker> {
  const make =
    (type: string | null): WidgetMaker =>
    (node, name, data) => {
      const [given, options] = Array.isArray(data) ? (data as unknown[]) : [];
      const spec = inputSpec(name, [type ?? given, options ?? {}], true);
      if (spec.widget === null) return undefined;
      const [widget] = addInputWidgets(node, spec, hooks);
      return { widget };
    };
  const types = ['INT', 'FLOAT', 'BOOLEAN', 'STRING', 'MARKDOWN', 'COLOR'];
  return { ...Object.fromEntries(types.map((type) => [type, make(type)])), COMBO: make(null) };
}

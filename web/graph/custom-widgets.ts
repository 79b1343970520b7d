import type { LGraphNode } from '@comfyorg/litegraph';
import type { IBaseWidget } from '@comfyorg/litegraph/dist/types/widgets';

/** Adds the widget(s) of one input to a node; `data` is `[type, options]` as /object_info has it. */
export type CustomWidget = (node: LGraphNode, name: string, data: readonly unknown[]) => void;

/** Fields of types that are none of ours: the page scripts of packs add them, by input type. */
export const customWidgets = new Map<string, CustomWidget>();

/** Adds the field of a pack to a node; returns the widgets that came. */
export function addCustomWidgets(
  node: LGraphNode,
  name: string,
  type: string,
  options: Readonly<Record<string, unknown>>,
): IBaseWidget[] {
  const before = new Set(node.widgets);
  customWidgets.get(type)?.(node, name, [type, options]);
  return (node.widgets ?? []).filter((widget) => !before.has(widget));
}

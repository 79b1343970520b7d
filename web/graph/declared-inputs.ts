import { RenderShape, type LGraphNode } from '@comfyorg/litegraph';
import { asArray, isRecord } from '../../engine/workflow/records.ts';
import type { NodeInfo } from '../api/types.ts';
import { addGrowing, autogrow } from './growing-inputs.ts';
import type { EditorHooks } from './hooks.ts';
import { inputSpecs, slotType, type InputSpec } from './input-spec.ts';
import { DynamicChoice } from './widgets/dynamic-choice.ts';
import { addInputWidgets } from './widgets/make-widget.ts';

/**
 * Adds what a class declares as its inputs to a node: their fields, and sockets. As in ComfyUI, where
 * files and packs count them, sockets alone come first, then those of fields.
 */
export function addDeclaredInputs(
  node: LGraphNode,
  specs: readonly InputSpec[],
  hooks: EditorHooks,
): void {
  const fields = new Map(
    specs
      .filter(({ widget }) => widget !== null)
      .map((spec) => [spec, addInputWidgets(node, spec, hooks)] as const)
      .filter(([, widgets]) => widgets.length > 0),
  );
  for (const spec of specs) if (!fields.has(spec)) addSocket(node, spec);
  for (const spec of fields.keys()) addSocket(node, spec, { name: spec.name });
  for (const [spec, [widget]] of fields) {
    if (widget instanceof DynamicChoice) {
      widget.follow(() => showInputsOf(node, widget, spec, hooks));
    }
  }
}

function addSocket(node: LGraphNode, spec: InputSpec, widget?: { readonly name: string }): void {
  if (spec.type === autogrow) return addGrowing(node, spec);
  if (spec.options.socketless === true) return;
  const shape = spec.required ? undefined : RenderShape.HollowCircle;
  const slot = node.addInput(spec.name, slotType(spec), {
    ...(shape === undefined ? {} : { shape }),
    ...(widget === undefined ? {} : { widget }),
  });
  const { display_name: shown } = spec.options;
  if (typeof shown === 'string') slot.localized_name = shown;
}

/** Gives a node the inputs of what is chosen now, below the choice, in place of those of another one. */
function showInputsOf(
  node: LGraphNode,
  choice: DynamicChoice,
  spec: InputSpec,
  hooks: EditorHooks,
): void {
  const widgets = (node.widgets ??= []);
  const { inputs } = node;
  const isInner = ({ name }: { readonly name: string }): boolean =>
    name.startsWith(`${spec.name}.`);
  const before = inputs.filter(isInner);
  takeOut(inputs, isInner);
  takeOut(widgets, isInner);

  const [slots, fields] = [inputs.length, widgets.length];
  addDeclaredInputs(node, specsOf(spec, choice.value), hooks);
  widgets.splice(widgets.indexOf(choice) + 1, 0, ...widgets.splice(fields));
  const own = inputs.findIndex(({ name }) => name === spec.name);
  inputs.splice(own < 0 ? slots : own + 1, 0, ...inputs.splice(slots));

  // Inputs of the same name keep their links.
  for (const { name, link } of before) {
    const now = inputs.find((slot) => slot.name === name);
    if (now !== undefined) now.link = link;
    else if (link !== null) node.graph?.removeLink(link);
  }
  inputs.forEach(({ link }, i) => {
    const held = link === null ? undefined : node.graph?.getLink(link);
    if (held) held.target_slot = i;
  });
  const [width, height] = node.computeSize();
  node.setSize([Math.max(node.size[0], width), Math.max(node.size[1], height)]);
  node.setDirtyCanvas(true, true);
}

/** What a choice of a dynamic combo declares, named as the server names it: `format.bit_depth`. */
function specsOf({ name, options }: InputSpec, key: unknown): InputSpec[] {
  const chosen = asArray(options.options)
    .filter(isRecord)
    .find((each) => each.key === key);
  if (!isRecord(chosen?.inputs)) return [];
  return inputSpecs({ input: chosen.inputs } as unknown as NodeInfo).map((inner) => ({
    ...inner,
    name: `${name}.${inner.name}`,
    options: { display_name: inner.name, ...inner.options },
  }));
}

/** Takes what fits out of a list. */
function takeOut<T>(list: T[], fits: (item: T) => boolean): T[] {
  const out = list.filter(fits);
  const kept = list.filter((item) => !fits(item));
  list.splice(0, list.length, ...kept);
  return out;
}

import type { LGraphNode } from '@comfyorg/litegraph';
import { isRecord } from '../input-spec.ts';
import { Choice } from './choice.ts';

/** COMFY_DYNAMICCOMBO_V3 field: each choice brings inputs of its own, which stand below it. */
export class DynamicChoice extends Choice {
  #follow: (() => void) | null = null;

  override get value(): string | number {
    return super.value;
  }

  override set value(value: string | number) {
    const isOther = super.value !== value;
    super.value = value;
    // While litegraph's constructor runs there are no private fields yet.
    if (isOther && #follow in this) this.#follow?.();
  }

  /** Calls `show` now and whenever something else is chosen: it makes the inputs of the choice. */
  follow(show: () => void): void {
    this.#follow = show;
    show();
  }
}

/** Makes the choices that stored values hold, so that the node has the inputs they are stored for. */
export function chooseStored(node: LGraphNode, values: unknown): void {
  const widgets = node.widgets ?? [];
  let at = 0;
  // The list changes while it is gone through: a choice's own fields come right after it.
  for (let i = 0; i < widgets.length; i++) {
    const widget = widgets[i];
    if (widget.serialize === false) continue;
    const place = at++;
    if (!(widget instanceof DynamicChoice)) continue;
    const stored: unknown = Array.isArray(values)
      ? values[place]
      : isRecord(values)
        ? values[widget.name]
        : undefined;
    const choice = widget.choices.find((each) => each === stored);
    if (choice !== undefined) widget.value = choice;
  }
}

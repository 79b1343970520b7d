import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { NoodleNode } from '../graph/node.ts';
import type { AppParts } from './parts.ts';
import { textOf } from '../text.ts';
import { t } from '../locale/translate.ts';

const delay = 600;

/** Explains what the pointer rests on in the graph: node descriptions, inputs, outputs. */
export function Tooltip({ editor }: AppParts) {
  const tip = useSignal<{ x: number; y: number; text: string } | null>(null);
  useEffect(() => {
    const element = editor.canvas.canvas;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hide = (): void => {
      clearTimeout(timer);
      tip.value = null;
    };
    const onMove = (event: PointerEvent): void => {
      hide();
      if (event.buttons !== 0) return;
      timer = setTimeout(() => {
        const text = textAt(editor, event);
        if (text !== null) tip.value = { x: event.clientX, y: event.clientY, text };
      }, delay);
    };
    element.addEventListener('pointermove', onMove);
    element.addEventListener('pointerdown', hide);
    element.addEventListener('pointerleave', hide);
    element.addEventListener('wheel', hide);
    return () => {
      hide();
      element.removeEventListener('pointermove', onMove);
      element.removeEventListener('pointerdown', hide);
      element.removeEventListener('pointerleave', hide);
      element.removeEventListener('wheel', hide);
    };
  }, []);
  if (tip.value === null) return null;
  const { x, y, text } = tip.value;
  return (
    <div
      class="tooltip"
      role="tooltip"
      style={{
        left: `${Math.min(x + 14, innerWidth - 330)}px`,
        top: `${Math.min(y + 16, innerHeight - 90)}px`,
      }}
    >
      {text}
    </div>
  );
}

function textAt(editor: AppParts['editor'], event: PointerEvent): string | null {
  const { canvas } = editor;
  const at = canvas.convertEventToCanvasOffset(event);
  const node = canvas.nodeAt(at);
  if (!(node instanceof NoodleNode)) return null;
  if (at[1] < node.pos[1]) return node.info?.description || null;
  if (node.flags.collapsed) return null;
  const slot = node.getSlotInPosition(at[0], at[1]);
  if (slot?.output) {
    const { name, type } = slot.output;
    return withName(node.info?.output_tooltips?.[slot.slot], name, type);
  }
  const widget = node.getWidgetOnPos(at[0], at[1], true);
  if (widget !== undefined) {
    const { name } = widget;
    const choices = widget.options.values;
    const away =
      Array.isArray(choices) && choices.length > 0 && !choices.includes(widget.value)
        ? `${t('“{value}” is not on this server.', { value: textOf(widget.value) })} `
        : '';
    const type = node.specs.find((spec) => spec.name === name)?.type ?? '';
    return withName(away + (widget.tooltip ?? inputTip(node, name) ?? ''), name, type);
  }
  if (!slot?.input) return null;
  return withName(inputTip(node, slot.input.name), slot.input.name, slot.input.type);
}

/** What is known of a field or socket, and what the program calls it. */
function withName(tip: string | null | undefined, name: string, type: unknown): string {
  const raw = type === '' || type === name ? name : `${name} (${String(type)})`;
  return tip ? `${tip}\n${raw}` : raw;
}

const inputTip = (node: NoodleNode, name: string): string | null => {
  const tip = node.specs.find((s) => s.name === name)?.options.tooltip;
  return typeof tip === 'string' ? tip : null;
};

import type { LGraphCanvas } from '@comfyorg/litegraph';
import { fieldHeight, fieldMargin } from './draw-field.ts';

export interface InlineEdit {
  readonly canvas: LGraphCanvas;
  /** The node, or group, whose place it is edited at. */
  readonly node: { readonly pos: ArrayLike<number>; readonly size: ArrayLike<number> };
  readonly widget: { readonly y: number; readonly width?: number; readonly name: string };
  readonly text: string;
  readonly commit: (text: string) => void;
}

/** Opens a text box exactly over a field: Enter or leaving it commits, Escape gives up. */
export function editInline({ canvas, node, widget, text, commit }: InlineEdit): void {
  const { ds } = canvas;
  const host = canvas.canvas.parentElement;
  if (host === null) return;
  const input = document.createElement('input');
  input.className = 'field-editor';
  input.type = 'text';
  input.value = text;
  input.spellcheck = false;
  input.setAttribute('aria-label', widget.name);
  const width = (widget.width ?? node.size[0]) - 2 * fieldMargin;
  const scale = Math.max(ds.scale, 0.75);
  Object.assign(input.style, {
    left: `${(node.pos[0] + fieldMargin + ds.offset[0]) * ds.scale}px`,
    top: `${(node.pos[1] + widget.y + ds.offset[1]) * ds.scale}px`,
    width: `${Math.max(width * ds.scale, 120)}px`,
    height: `${fieldHeight * scale}px`,
    fontSize: `${12 * scale}px`,
  });

  let open = true;
  const close = (save: boolean): void => {
    if (!open) return;
    open = false;
    const { value } = input;
    input.remove();
    if (save && value !== text) commit(value);
    canvas.setDirty(true, true);
    canvas.canvas.focus();
  };
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === 'Tab') close(true);
    else if (event.key === 'Escape') close(false);
    else {
      event.stopPropagation();
      return;
    }
    if (!event.ctrlKey) {
      event.preventDefault();
      event.stopPropagation();
    }
  });
  input.addEventListener('blur', () => close(true));
  host.append(input);
  // The pointer event that opened it still has to finish; focus after it.
  requestAnimationFrame(() => {
    input.focus();
    input.select();
  });
}

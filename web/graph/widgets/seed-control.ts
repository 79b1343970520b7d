import type { LGraphNode } from '@comfyorg/litegraph';
import { addInt, clampInt, type Int } from '../integer.ts';
import { Choice } from './choice.ts';
import { NumberBox } from './number.ts';
import { textOf } from '../../text.ts';
import { t } from '../../locale/translate.ts';

/** ComfyUI draws random seeds below 2^50, which its own JavaScript keeps exact; so do we. */
const randomLimit = 1125899906842624;

const numberModes = ['fixed', 'increment', 'decrement', 'randomize'];
const comboModes = [...numberModes.slice(0, 2), 'increment-wrap', ...numberModes.slice(2)];

/** The `control_after_generate` field that follows a seed (or a controlled combo). */
export function makeSeedControl(node: LGraphNode, isCombo: boolean, mode: string): Choice {
  const control = new Choice(
    {
      name: 'control_after_generate',
      type: 'combo',
      value: mode,
      options: { values: isCombo ? comboModes : numberModes },
      y: 0,
    },
    node,
  );
  control.tooltip = t('What happens to the value above after each queued prompt.');
  return control;
}

/** Moves every controlled value of the nodes on, as ComfyUI does right after queueing a prompt. */
export function applySeedControls(
  nodes: Iterable<LGraphNode>,
  random: () => number = Math.random,
): boolean {
  let changed = false;
  for (const node of nodes) {
    for (const widget of node.widgets ?? []) {
      const control = widget.linkedWidgets?.find((w) => w.name === 'control_after_generate');
      if (control === undefined || node.getSlotFromWidget(widget)?.link != null) continue;
      const mode = textOf(control.value);
      if (widget instanceof NumberBox) {
        const next = nextNumber(widget.exact, mode, widget.limits, random) as number;
        changed ||= next !== widget.value;
        widget.value = next;
      } else if (widget instanceof Choice) {
        const next = nextChoice(widget.choices, widget.value, mode, random);
        changed ||= next !== widget.value;
        widget.value = next;
      }
      if (changed) node.setDirtyCanvas(true);
    }
  }
  return changed;
}

/** The value after one run; exact for 64-bit seeds. */
export function nextNumber(
  value: Int,
  mode: string,
  { min, max, step, integer }: NumberBox['limits'],
  random: () => number,
): Int {
  if (mode === 'increment' || mode === 'decrement') {
    const delta = mode === 'increment' ? step : -step;
    const next = integer ? addInt(value, Math.round(delta)) : Number(value) + delta;
    return clampInt(next, min, max);
  }
  if (mode === 'randomize') {
    const low = Math.max(-randomLimit, Number(min ?? 0));
    const high = Math.min(randomLimit, Number(max ?? randomLimit));
    return Math.floor(random() * ((high - low) / step)) * step + low;
  }
  return value;
}

function nextChoice(
  choices: readonly (string | number)[],
  value: string | number,
  mode: string,
  random: () => number,
): string | number {
  const at = choices.indexOf(value);
  const last = choices.length - 1;
  if (last < 0) return value;
  switch (mode) {
    case 'increment':
      return choices[Math.min(last, at + 1)];
    case 'increment-wrap':
      return choices[(at + 1) % choices.length];
    case 'decrement':
      return choices[Math.max(0, at - 1)];
    case 'randomize':
      return choices[Math.floor(random() * choices.length)];
    default:
      return value;
  }
}

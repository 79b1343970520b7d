import { LGraphBadge, type LGraphNode } from '@comfyorg/litegraph';
import type { NodeInfo } from '../api/types.ts';
import { palette } from './palette.ts';

/** When a mark of nodes is shown, in ComfyUI's words. */
export type BadgeMode = 'None' | 'Hide built-in' | 'Show all';

/** Which marks nodes carry; the settings decide. */
export interface BadgeModes {
  id: string;
  source: string;
}

export const badgeModes: BadgeModes = { id: 'None', source: 'Hide built-in' };

/** What a node's mark says: its number, and the pack that it comes from; '' for no mark. */
export function badgeText(
  { id, info }: { readonly id: number | string; readonly info: NodeInfo | null },
  modes: BadgeModes,
): string {
  const pack = /^custom_nodes\.([^.]+)/.exec(info?.python_module ?? '')?.[1];
  const isShown = (mode: string): boolean =>
    mode === 'Show all' || (mode === 'Hide built-in' && pack !== undefined);
  const parts = [isShown(modes.id) ? `#${id}` : '', isShown(modes.source) ? (pack ?? 'Core') : ''];
  return parts.filter((part) => part !== '').join(' ');
}

/** Adds the mark to a node; it follows the settings and the theme. */
export function addBadge(node: LGraphNode & { readonly info: NodeInfo | null }): void {
  const badge = new LGraphBadge({
    text: '',
    fontSize: 10,
    padding: 5,
    height: 15,
    cornerRadius: 4,
  });
  node.badges.push(() => {
    badge.text = badgeText(node, badgeModes);
    badge.fgColor = palette.text;
    badge.bgColor = palette.raised;
    return badge;
  });
}
